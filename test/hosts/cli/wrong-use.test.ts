import { describe, expect, it } from 'vitest';
import { didYouMean } from '../../../src/hosts/cli/did-you-mean.ts';
import { COMMANDS } from '../../../src/hosts/cli/commands.ts';
import { runCli } from './run-cli.ts';

describe('wrong use', () => {
  it.each([
    [['chekc'], 'Unknown command "chekc". Did you mean "check"?'],
    [['Doctor'], 'Unknown command "Doctor". Did you mean "doctor"?'],
    [['frobnicate'], 'Unknown command "frobnicate".\n'],
    [['constructor'], 'Unknown command "constructor".'],
    [['help', 'enrch'], 'Unknown command "enrch". Did you mean "enrich"?'],
    [['--hepl'], 'Unknown option "--hepl". Did you mean "--help"?'],
    [['check', '1.1.1.1', '--jsno'], 'Unknown option "--jsno". Did you mean "--json"?'],
    [['check', '-x', '1.1.1.1'], 'Unknown option "-x".'],
    [['check', '1.1.1.1', '--config'], '--config needs a value'],
    [['check', '1.1.1.1', '--config', '--json'], '--config needs a value'],
    [['check', '1.1.1.1', '--json=true'], 'Option "--json" takes no value.'],
    [['check', '1.1.1.1', '--providers', 'virustotl'], 'Unknown provider "virustotl". Did you mean "virustotal"?'],
    [['cache'], 'cache needs an action: stats, purge, export, import.'],
    [['cache', 'stast'], 'Unknown action "stast" of cache. Did you mean "stats"?'],
    [['cache', 'toString'], 'Unknown action "toString" of cache.'],
    [['cache', 'stats', 'more'], 'cache stats takes no value, but got "more".'],
    [['store', 'export', '--format', 'cvs'], 'not "cvs". Did you mean "csv"?'],
    [['plan', 'a.txt', 'b.txt'], 'plan takes one FILE|-, but got 2.'],
    [['doctor', 'now'], 'doctor takes no value, but got "now".'],
    [['completion', 'tcsh'], 'Unknown action "tcsh" of completion.'],
  ])('%j: %s', async (args, words) => {
    const { code, stdout, stderr } = await runCli(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`ismalicious: ${words.startsWith('not') ? '' : words}`);
    expect(stderr).toContain(words);
  });

  it('of options names the command whose help explains them', async () => {
    expect((await runCli(['check', '--jsno'])).stderr).toContain('See: ismalicious help check\n');
    expect((await runCli(['chekc'])).stderr).toContain('See: ismalicious help\n');
  });

  it.each([
    ['doctor', ['doctor', 'config'], ' Did you mean "doctor"?'],
    ['cofnig', ['doctor', 'config'], ' Did you mean "config"?'],
    ['x', ['doctor', 'config'], ''],
    ['', ['doctor', 'config'], ''],
    ['something-else', ['doctor', 'config'], ''],
  ])('%j is close to nothing but what it nearly is', (word, known, said) => {
    expect(didYouMean(word, known)).toBe(said);
  });
});

describe('options', () => {
  it('may stand anywhere, with = or a blank; behind -- they are values', async () => {
    expect((await runCli(['cache', '--json', 'stats'])).code).toBe(0);
    expect((await runCli(['cache', 'stats', '--older-than=1h', '--json'])).code).toBe(0);
    const { stdout } = await runCli(['check', '--json', '--', '--help']);
    expect(JSON.parse(stdout)).toMatchObject({ indicator: '--help', status: 'invalid' });
  });

  it('a value that looks like an option is taken behind =', async () => {
    expect((await runCli(['check', '1.1.1.1', '--config=--json'])).stderr).not.toContain('needs a value');
  });
});

describe('help', () => {
  it.each(COMMANDS.map(({ synopsis }) => [synopsis.name, synopsis] as const))(
    'of %s explains its options and fits',
    async (name, synopsis) => {
      const { code, stdout } = await runCli(['help', name], { columns: 72 });
      expect(code).toBe(0);
      expect(stdout).toContain(`Usage: ismalicious ${name}`);
      for (const option of Object.keys(synopsis.options)) expect(stdout).toContain(`--${option}`);
      for (const action of Object.keys(synopsis.actions ?? {})) expect(stdout).toMatch(new RegExp(`^  ${action}\\b`, 'm'));
      expect(stdout).toContain('Examples:\n  ismalicious ');
      const [body = ''] = stdout.split('Examples:');
      for (const line of body.split('\n').filter((one) => !one.startsWith('Usage:'))) expect(line.length).toBeLessThanOrEqual(72);
      expect((await runCli([name, '--help'], { columns: 72 })).stdout).toBe(stdout);
    },
  );

  it('lists all commands in their groups', async () => {
    const { stdout } = await runCli(['help'], { columns: 80 });
    for (const { synopsis } of COMMANDS) {
      expect(stdout).toContain(`\n${synopsis.group}:\n`);
      expect(stdout).toMatch(new RegExp(`^  ${synopsis.name} `, 'm'));
    }
    expect((await runCli([])).stdout).toBe((await runCli(['--help'])).stdout);
  });

  it('every command that is described is the one that is loaded', async () => {
    for (const { synopsis, load } of COMMANDS) expect((await load()).synopsis).toBe(synopsis);
  });
});
