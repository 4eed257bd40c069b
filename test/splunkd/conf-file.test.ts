import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { findAppFolder, localSplunkd, readAppConf } from '../../src/splunkd/app-conf.ts';
import { layerConf, parseConf } from '../../src/splunkd/conf-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'ismalicious-conf-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  ['a stanza with its settings', '[a.b]\nx = 1\ny=two words \n', { 'a.b': { x: '1', y: 'two words' } }],
  ['comments and blank lines', '# c\n\n[a]\n  # x = 1\nx = #no comment\n', { a: { x: '#no comment' } }],
  ['Windows line ends and a BOM', '\uFEFF[a]\r\nx = 1\r\n', { a: { x: '1' } }],
  ['a value over several lines', '[a]\nx = one \\\n  two\ny = 3', { a: { x: 'one \n  two', y: '3' } }],
  ['a value that holds =', '[a]\nx = {"a": "b=c"}', { a: { x: '{"a": "b=c"}' } }],
  ['an empty value', '[a]\nx =\n', { a: { x: '' } }],
  ['settings before the first stanza', 'x = 1\n[a]\n', { default: { x: '1' }, a: {} }],
  ['a stanza in two pieces, the later setting wins', '[a]\nx = 1\n[b]\n[a]\nx = 2\ny = 3\n', { a: { x: '2', y: '3' }, b: {} }],
  ['brackets in a stanza', '[script://./a [b]]\nx = 1', { 'script://./a [b]': { x: '1' } }],
  ['lines that are nothing', '[a]\nnonsense\nx = 1', { a: { x: '1' } }],
])('reads %s', (_what, text, stanzas) => {
  expect(parseConf(text)).toEqual(stanzas);
});

it('lays files over each other key by key, the default stanza under all', () => {
  const layers = ['[default]\nx = 0\nz = 0\n[a]\nx = 1\ny = 1', '[a]\ny = 2\n[b]\n[default]\nz = 9'].map(parseConf);
  expect(layerConf(layers)).toEqual({ a: { x: '1', y: '2', z: '9' }, b: { x: '0', z: '9' } });
});

it('reads the app’s default, its local and the system’s local, in this order', () => {
  const app = join(folder, 'splunk/etc/apps/ismalicious');
  const system = join(folder, 'splunk/etc/system/local');
  for (const path of [join(app, 'default'), join(app, 'local'), join(app, 'bin/programs'), system]) mkdirSync(path, { recursive: true });
  writeFileSync(join(app, 'default/app.conf'), '');
  writeFileSync(join(app, 'default/ismalicious.conf'), '[cache]\nstale_s = 1\nlisted_ttl_s = 1\nunknown_ttl_s = 1\n');
  writeFileSync(join(app, 'local/ismalicious.conf'), '[cache]\nlisted_ttl_s = 2\nunknown_ttl_s = 2\n');
  writeFileSync(join(system, 'ismalicious.conf'), '[cache]\nunknown_ttl_s = 3\n');
  const env = { SPLUNK_HOME: join(folder, 'splunk') };
  const cache = { stale_s: '1', listed_ttl_s: '2', unknown_ttl_s: '3' };
  expect(readAppConf('ismalicious.conf', { program: join(app, 'bin/programs/check.js'), env })).toEqual({ cache });
  expect(readAppConf('ismalicious.conf', { program: undefined, env })).toEqual({ cache });
  expect(readAppConf('ismalicious.conf', { program: join(app, 'bin/ismalicious.js'), env: {} })).toEqual({
    cache: { ...cache, unknown_ttl_s: '2' },
  });
});

it('finds no app around a program that lies elsewhere, and reads nothing', () => {
  const place = { program: join(folder, 'elsewhere/x.js'), env: {} };
  expect(findAppFolder(place)).toBeNull();
  expect(readAppConf('ismalicious.conf', place)).toEqual({});
});

it('asks splunkd at the port of web.conf', () => {
  expect(localSplunkd({})).toBe('https://127.0.0.1:8089');
  mkdirSync(join(folder, 'other/etc/system/local'), { recursive: true });
  writeFileSync(join(folder, 'other/etc/system/local/web.conf'), '[settings]\nmgmtHostPort = 127.0.0.1:9089\n');
  expect(localSplunkd({ SPLUNK_HOME: join(folder, 'other') })).toBe('https://127.0.0.1:9089');
});
