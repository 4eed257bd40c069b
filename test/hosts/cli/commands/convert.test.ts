import { describe, expect, it } from 'vitest';
import { runCli } from '../run-cli.ts';

describe('ismalicious convert', () => {
  it('writes the text to stdout and what changes to stderr, and exits with 0 when all is converted', async () => {
    const { code, stdout, stderr } = await runCli(['convert'], { stdin: 'index=a | gnenrich ip_field="src"\n' });
    expect([code, stdout]).toEqual([0, 'index=a | ismalicious src providers=greynoise\n']);
    expect(stderr).toContain('line 1: gnenrich ip_field="src"');
    expect(stderr).toContain('which is not clean');
  });

  it('exits with 3 and names what is not converted, and what it knows nothing of', async () => {
    const left = await runCli(['convert', '-'], { stdin: 'index=a | gnstats query="x"\n' });
    expect([left.code, left.stdout]).toEqual([3, 'index=a | gnstats query="x"\n']);
    expect(left.stderr).toContain('NOT CONVERTED: gnstats query="x"');
    const nothing = await runCli(['convert'], { stdin: 'index=a | head 1\n' });
    expect([nothing.code, nothing.stdout]).toEqual([3, 'index=a | head 1\n']);
    expect(nothing.stderr).toContain('Nothing in it that convert knows');
  });

  it('gives a program all of it as JSON', async () => {
    const { code, stdout } = await runCli(['convert', '--json', '--from', 'spl'], { stdin: '| gnip ip="8.8.8.8"' });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      text: '| ismaliciouscheck value="8.8.8.8" providers=greynoise',
      changes: [{ line: 1 }],
      not_converted: [],
    });
  });
});
