import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { followFile } from '../../src/batch/input/follow-file.ts';
import { projectRoot } from '../support/fixtures.ts';
import { newStateFolder } from '../support/open-test-engine.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-follow-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Follows a file; `until` resolves when the text that came so far is the expected one. */
function follow(path: string) {
  const stop = new AbortController();
  let text = '';
  let wake = () => {};
  const ended = (async () => {
    for await (const part of followFile(path, stop.signal)) {
      text += Buffer.from(part).toString();
      wake();
    }
  })();
  return {
    async until(expected: string) {
      while (text !== expected) {
        expect(expected.startsWith(text)).toBe(true);
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    async end() {
      stop.abort();
      await ended;
      return text;
    },
  };
}

describe('a followed file', () => {
  it('is read from its beginning, and what is added as it comes', async () => {
    const path = join(folder, 'grows.log');
    writeFileSync(path, 'a\n');
    const reading = follow(path);
    await reading.until('a\n');
    appendFileSync(path, 'b\nc');
    await reading.until('a\nb\nc');
    appendFileSync(path, 'd\n');
    expect(await reading.end()).toBe('a\nb\ncd\n');
  });

  it('that is rotated is read to its end, and then the new one; a last line without an end gets one', async () => {
    const path = join(folder, 'rotates.log');
    writeFileSync(path, 'a\nb');
    const reading = follow(path);
    await reading.until('a\nb');
    renameSync(path, `${path}.1`);
    appendFileSync(`${path}.1`, 'c');
    await reading.until('a\nbc');
    writeFileSync(path, 'd\n');
    await reading.until('a\nbc\nd\n');
    expect(await reading.end()).toBe('a\nbc\nd\n');
  });

  it('that is cut short and written anew (copytruncate) is read from its beginning', async () => {
    const path = join(folder, 'cut.log');
    writeFileSync(path, 'a long line\n');
    const reading = follow(path);
    await reading.until('a long line\n');
    truncateSync(path, 0);
    appendFileSync(path, 'b\n');
    await reading.until('a long line\nb\n');
    expect(await reading.end()).toBe('a long line\nb\n');
  });

  it('that is not there is wrong use', async () => {
    await expect(follow(join(folder, 'no.log')).end()).rejects.toThrow('cannot be read (ENOENT)');
  });
});

it('enrich --follow answers each line as it comes, and sums up when it is stopped', async () => {
  const own = join(folder, 'own.csv');
  writeFileSync(own, 'value,score\n203.0.114.7,90\n');
  const config = join(folder, 'config.yaml');
  writeFileSync(config, JSON.stringify({ local: { sample: false, lists: [own] } }));
  const path = join(folder, 'access.log');
  writeFileSync(path, 'from 203.0.114.7\n');
  const env = { ...process.env, ISMALICIOUS_STATE_DIR: newStateFolder(), ISMALICIOUS_CONFIG: config };
  const child = spawn(process.execPath, [join(projectRoot, 'src/main.ts'), 'enrich', path, '--follow'], { env });
  let [out, err] = ['', ''];
  child.stderr.on('data', (part: Buffer) => (err += part.toString()));
  const lines = async (count: number) => {
    while (out.split('\n').length <= count) out += String(((await once(child.stdout, 'data')) as [Buffer])[0]);
  };
  await lines(1);
  renameSync(path, `${path}.1`);
  writeFileSync(path, 'again 203.0.114.7\nno one\n');
  await lines(3);
  child.kill('SIGTERM');
  const [code] = (await once(child, 'close')) as [number];
  expect(out).toBe(
    'from 203.0.114.7\tmalicious\tok\t90\t203.0.114.7\nagain 203.0.114.7\tmalicious\tok\t90\t203.0.114.7\nno one\t-\t-\t-\t-\n',
  );
  expect([code, err]).toEqual([0, expect.stringMatching(/\n1 value: 1 malicious\n$/)]);
}, 60_000);
