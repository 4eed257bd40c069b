import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../src/hosts/cli/commands.ts';
import { runCli } from './run-cli.ts';

const ROOT = join(import.meta.dirname, '../../..');
const bin = mkdtempSync(join(tmpdir(), 'ismalicious completion '));

beforeAll(() => {
  const program = join(bin, 'ismalicious');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'src/main.ts')}' "$@"\n`);
  chmodSync(program, 0o755);
});

function shell(program: string, args: readonly string[]) {
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  return spawnSync(program, [...args], { env, cwd: ROOT, encoding: 'utf8', input: '' });
}

const isInstalled = (program: string) => spawnSync(program, ['--version']).status === 0;

async function offered(...typed: string[]): Promise<string[]> {
  const { stdout } = await runCli(['complete', '--', ...typed]);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t')[0] ?? '');
}

describe('what a shell may offer', () => {
  it('is every command, with what it does', async () => {
    expect(await offered('')).toEqual([...COMMANDS.map(({ synopsis }) => synopsis.name), 'help']);
    expect((await runCli(['complete', '--', 'plan'])).stdout).toBe('plan\tShow what looking up a list would cost. Spends nothing.\n');
  });

  it.each([
    [['ch'], ['check']],
    [['help', 'doc'], ['doctor']],
    [['help', 'doctor', ''], []],
    [
      ['cache', ''],
      ['stats', 'purge', 'export', 'import'],
    ],
    [['cache', '--json', 'p'], ['purge']],
    [
      ['cache', '--older-than', '7d', ''],
      ['stats', 'purge', 'export', 'import'],
    ],
    [['cache', 'stats', ''], []],
    [
      ['check', '--ex'],
      ['--explain', '--exit-code'],
    ],
    [['check', '1.1.1.1', '--js'], ['--json']],
    [['check', '--', '--js'], []],
    [['check', '--he'], ['--help']],
    [
      ['store', 'export', '--format', ''],
      ['ndjson', 'csv', 'stix', 'seed'],
    ],
    [['check', '--providers', 'virust'], ['virustotal']],
    [['check', '--providers', 'virustotal,abuse'], ['virustotal,abuseipdb']],
    [['check', '--providers', 'virustotal,virustotal'], []],
    [['enrich', ''], [':files']],
    [['enrich', '--out', ''], [':files']],
    [['elastic', 'install', '--assets', ''], [':files']],
    [['elastic', 'install', '--target', 'open'], ['opensearch']],
    [['config', 'import', ''], [':files']],
    [['config', 'show', ''], []],
    [['chekc', ''], []],
    [['constructor', ''], []],
    [[], [...COMMANDS.map(({ synopsis }) => synopsis.name), 'help']],
  ])('behind %j is %j', async (typed, words) => {
    expect(await offered(...typed)).toEqual(words);
  });
});

describe('the script for bash', () => {
  const complete = (...words: string[]) => {
    const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    const typed = `COMP_WORDS=(ismalicious ${quoted}); COMP_CWORD=${words.length}; _ismalicious; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return shell('bash', ['--norc', '-c', `source <(ismalicious completion bash); complete -p ismalicious >&2; ${typed}`]);
  };

  it('binds itself to the program and offers commands, options and files', () => {
    const { stdout, stderr } = complete('sto');
    expect([stdout, stderr]).toEqual(['store\n', 'complete -F _ismalicious ismalicious\n']);
    expect(complete('check', '1.1.1.1', '--js').stdout).toBe('--json\n');
    expect(complete('enrich', 'package.j').stdout).toBe('package.json\n');
  });

  it('never runs what was typed', () => {
    const marker = join(bin, 'was-run');
    expect(complete('check', `$(touch "${marker}")`, '`touch x`', '--js').stdout).toBe('--json\n');
    expect(existsSync(marker)).toBe(false);
  });

  it.skipIf(!isInstalled('script'))('completes what is typed in a terminal, without bash-completion (needs script)', () => {
    const { stdout } = spawnSync('script', ['-qec', 'bash --norc --noprofile -i', '/dev/null'], {
      env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`, TERM: 'dumb' },
      input: 'source <(ismalicious completion bash)\nismalicious compl\tfi\t\nexit\n',
      encoding: 'utf8',
    });
    expect(stdout).toContain('complete -c ismalicious -f');
  });
});

it.skipIf(!isInstalled('fish'))('the script for fish offers commands with what they do, and files (needs fish)', () => {
  const { stdout } = shell('fish', [
    '--no-config',
    '-c',
    'ismalicious completion fish | source; complete -C "ismalicious cache "; complete -C "ismalicious check --provi"; complete -C "ismalicious enrich package.j"',
  ]);
  expect(stdout.split('\n')).toEqual(
    expect.arrayContaining(['stats\tfile, rows and size', '--providers\task only these', expect.stringMatching(/^package\.json/)]),
  );
});

it.skipIf(!isInstalled('zsh'))('the script for zsh completes what is typed (needs zsh)', () => {
  const session = [
    'zmodload zsh/zpty',
    'zpty -b shell zsh -f -i',
    'say() { zpty -w shell "$1" }',
    'hear() { local part out=; repeat 400; do zpty -rt shell part 2>/dev/null && out+=$part; [[ $out == *$1* ]] && break; sleep 0.05; done; print -r -- $out }',
    "say \"PS1='> '; autoload -Uz compinit; compinit -u -D; source <(ismalicious completion zsh); print rea''dy\"",
    'hear ready >/dev/null',
    "zpty -w shell $'ismalicious compl\\tfi\\t'",
    "hear 'complete -c ismalicious -f'",
    'zpty -d shell',
  ].join('\n');
  expect(shell('zsh', ['-f', '-c', session]).stdout).toContain('complete -c ismalicious -f');
});
