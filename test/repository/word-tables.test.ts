import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { runProgram } from '../../src/hosts/cli/program.ts';
import { readOptionWords } from '../../src/splunkd/option-words.ts';
import { layerConf, parseConf } from '../../src/splunkd/conf-file.ts';
import { textsAt } from '../../src/pipeline/triage/read-alert.ts';
import { decodeBody } from '../../src/engine/calls/http/body.ts';
import { abuseipdb } from '../../src/providers/abuseipdb.ts';
import { exposureVerdict } from '../../src/providers/reading/shodan-exposure.ts';

/** Words that a plain object answers to although nobody put them there. */
const WORDS = ['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty', '__defineGetter__', 'prototype'];
const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));

describe('a word of others', () => {
  /** `const NAME: Record<string, …> = { … }` whose members are looked up with something that is no literal. */
  const lookUps = (text: string): string[] =>
    [...text.matchAll(/const (\w+)(?:: (?:Partial<)?(?:Readonly<)?Record<string, [^=]*?>)? = \{/g)]
      .filter(([whole]) => whole.includes('Record<string'))
      .flatMap(([, name = '']) => {
        const used = [
          ...text.matchAll(new RegExp(`(hasOwn\\(${name}, [^)]*\\)[^;\\n]*)?\\b${name}\\[(?!['"\`])([^\\]]+)\\](?! \\?\\?=| = )`, 'g')),
        ];
        return used.filter(([, guard]) => guard === undefined).map(([found]) => found);
      });
  /** Objects that are filled and read with our own words: ids of feeds, outputs and providers, blocks of settings. */
  const OWN = new Set([
    'accepted[output]',
    'of[output]',
    'to[output]',
    'tree[first]',
    'shown[path]',
    'loaded[path]',
    'values[key]',
    'values[path]',
  ]);

  it('is never looked up in an object literal: that is what `wordTable` is for', () => {
    const found = sources.flatMap((path) => lookUps(readFileSync(join('src', path), 'utf8')).map((text) => `${path}: ${text}`));
    expect(found.filter((line) => ![...OWN].some((own) => line.endsWith(own)))).toEqual([]);
  });
  it('the check finds what it is made for', () => {
    expect(lookUps('const A: Readonly<Record<string, string>> = { a: 1 };\nA[word] ?? word')).toEqual(['A[word]']);
    expect(lookUps("const A: Record<string, string> = { a: 1 };\nObject.hasOwn(A, word) ? A[word] : ''; A['x']")).toEqual([]);
  });
});

describe.each(WORDS)('%s', (word) => {
  it('is no command, and no topic of help', async () => {
    for (const args of [[word], ['help', word], [word, '--help']]) {
      let told = '';
      const sink = new Writable({ write: (chunk, _encoding, done) => ((told += String(chunk)), done()) });
      const io = { stdout: sink, stderr: sink, stdin: process.stdin, env: {}, hasColor: false, hasProgress: false };
      expect(await runProgram(args, io as never)).toBe(2);
      expect(told).toContain(word);
      expect(told).not.toContain('undefined');
    }
  });
  it('is a stanza and a key of a conf file like any other', () => {
    const conf = layerConf([
      parseConf(`[${word}]\nget = true\n${word} = 1\n[default]\n${word} = 2\n[api]\nkey = 3\n`),
      parseConf(`[${word}]\nset = x\n`),
    ]);
    expect(Object.entries(conf[word] ?? {}).sort()).toEqual(
      [
        ['get', 'true'],
        ['set', 'x'],
        [word, '1'],
      ].sort(),
    );
    expect(Object.entries(conf['api'] ?? {}).sort()).toEqual(
      [
        ['key', '3'],
        [word, '2'],
      ].sort(),
    );
    expect(conf['api']?.['toString']).toBe(word === 'toString' ? '2' : undefined);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
  it('is no option of a search command', () => {
    const known = { rules: { field: () => undefined }, draft: {}, example: '| x', sample: 'field=a' };
    expect(readOptionWords({ args: [`${word}=1`], rawArgs: [`${word}=1`] }, known).faults).toHaveLength(1);
  });
  it('is a field of an alert only where the alert has it', () => {
    expect(textsAt({ ip: '1.2.3.4' }, word)).toEqual([]);
    expect(textsAt(JSON.parse(`{"${word}":"x"}`) as Record<string, unknown>, word)).toEqual(['x']);
  });
  it('is refused as a key of the settings, by its name', () => {
    const file = { name: 'x.yaml', values: JSON.parse(`{"${word}":{"${word}":1}}`) as unknown };
    expect(() => loadConfig({}, { env: {}, file })).toThrow(word);
  });
  it('is no encoding of an answer', () => {
    expect(() => decodeBody('p', Buffer.from('{}'), { encoding: word })).toThrow(expect.objectContaining({ code: 'bad_response' }));
  });
  it('is an ordinary word in an answer of a provider', () => {
    const data = { ipAddress: '8.8.8.8', abuseConfidenceScore: 0, totalReports: 1, usageType: word };
    const verdict = abuseipdb.read({ data }, { type: 'ipv4-addr', value: '8.8.8.8' }, abuseipdb.settings.parse({ apiKey: 'k' }));
    expect(verdict?.attributes).toHaveLength(1);
    expect(exposureVerdict('shodan', { tags: [word], lastSeen: null, reference: 'https://x.test/' }).verdict).toBe('unknown');
  });
});
