import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasFixtures, projectRoot, readJsonFixture } from '../support/fixtures.ts';
import { httpOptionFaults, pipelineFaults, pluginsOf } from '../support/logstash-check.ts';
import { LogstashSyntaxError, parsePipeline } from '../support/logstash-config.ts';
import { holds } from '../support/logstash-runner.ts';

const folder = join(projectRoot, 'logstash');
const shipped = readdirSync(join(folder, 'conf.d')).filter((name) => name.endsWith('.conf'));
const read = (name: string) => readFileSync(join(folder, 'conf.d', name), 'utf8');

describe('shipped pipelines', () => {
  it.each(shipped)('%s would start in Logstash 9', (name) => {
    expect(pipelineFaults(read(name))).toEqual([]);
  });

  it('give every plugin an id of its own, in all files together', () => {
    const ids = shipped.flatMap((name) =>
      parsePipeline(read(name)).flatMap(({ body }) =>
        pluginsOf(body).map((plugin) => plugin.attributes.find((one) => one.name === 'id')?.value),
      ),
    );
    const texts = ids.map((id) => (id && 'text' in id ? id.text : ''));
    expect(new Set(texts).size).toBe(texts.length);
  });

  it.each(shipped.filter((name) => name.startsWith('20-lookup')))(
    '%s holds a worker for seconds at most, and may repeat its call',
    (name) => {
      const [http] = parsePipeline(read(name))
        .flatMap(({ body }) => pluginsOf(body))
        .filter((plugin) => plugin.name === 'http');
      const number = (option: string) => Number((http!.attributes.find((one) => one.name === option)!.value as { text: string }).text);
      expect(number('connect_timeout') + number('socket_timeout') + number('request_timeout')).toBeLessThanOrEqual(10);
      // The sidecar answers within 2 s; the filter has to wait longer than that.
      expect(number('socket_timeout')).toBeGreaterThan(2);
      expect(http?.attributes.find((one) => one.name === 'retry_non_idempotent')?.value).toEqual({ kind: 'bareword', text: 'true' });
      expect(http?.attributes.find((one) => one.name === 'target_body')?.value).toMatchObject({
        text: expect.stringMatching(/^\[@metadata\]/),
      });
    },
  );

  it('pipelines.yml names only files that are there, and no reference without a default in a comment', () => {
    const text = readFileSync(join(folder, 'pipelines.yml'), 'utf8');
    for (const [, names] of text.matchAll(/conf\.d\}?\/(\{[^}]+\}|[\w-]+)\.conf/g)) {
      for (const name of (names ?? '').replace(/[{}]/g, '').split(',')) expect(shipped).toContain(`${name}.conf`);
    }
    for (const line of text.split('\n')) expect(/^\s*#.*\$\{[^:}]*\}/.test(line)).toBe(false);
  });

  it('addresses fit together: whatever is sent to is received', () => {
    const all = shipped.flatMap((name) => parsePipeline(read(name)).flatMap(({ body }) => pluginsOf(body)));
    const texts = (option: string) =>
      all
        .flatMap((plugin) =>
          plugin.attributes.filter((one) => one.name === option).flatMap(({ value }) => (value.kind === 'array' ? value.items : [value])),
        )
        .map((value) => ('text' in value ? value.text : ''));
    for (const address of texts('send_to')) expect(texts('address')).toContain(address);
  });

  it('snippets hold the options of their plugin version', () => {
    const snippet = (name: string) => readFileSync(join(folder, 'snippets', name), 'utf8');
    expect(httpOptionFaults(snippet('http-filter-2.x.snippet'))).toEqual([]);
    expect(httpOptionFaults(snippet('http-filter-1.x.snippet'))).toEqual([
      expect.stringContaining('cacert is obsolete since 2.0.0: use ssl_certificate_authorities'),
    ]);
  });
});

describe('the grammar', () => {
  it.each([
    ['filter { }'],
    ['filter { mutate { } }'],
    ['input { stdin { } } filter { mutate { add_tag => "a" } } output { stdout { codec => json_lines } }'],
    ['output { stdout { codec => json { charset => "UTF-8" } } }'],
    ['filter { mutate { "add_tag" => [] } }'],
    ['filter { mutate { add_tag => ["a", "b"] } }'],
    ['filter { mutate { add_field => { "a" => "b" "c" => 5 d_e => \'f\' } } }'],
    ['filter { if [a] == 1 and "x" in [tags] or ![b][c] { mutate { } } else if [a] not in ["1", "2"] { drop { } } else { mutate { } } }'],
    ['filter { if [a] =~ /^x\\/y$/ or [b] !~ "z" { drop { } } }'],
    ['filter { if !("a" in [tags]) and ([b] >= 1.5 or [c] != "") { drop { } } }'],
    ['filter { if [a] xor [b] { drop { } } else { if [c] nand [d] { drop { } } } }'],
    ['# comment\nfilter { # another\n mutate { # and another\n id => "x" } }\n# end'],
    ['filter { ruby { code => \'event.set("[a]", "b")\' } }'],
    ['filter { http { url => "${U:http://a}/x" verb => POST } }'],
    ['filter { mutate { rename => { "[a][b]" => "[c]" } } }'],
    ['filter { mutate { add_field => { "x" => "%{[a][b]} and \\"quoted\\"" } } }'],
    ['filter { grok { match => { "message" => ["%{A}", "%{B}"] } } }'],
    ['filter { mutate { id => "line\nbreak" } }'],
  ])('takes %s', (text) => {
    expect(() => parsePipeline(text)).not.toThrow();
  });

  it.each([
    ['a missing comma', 'filter { mutate { add_tag => ["a" "b"] } }'],
    ['a trailing comma', 'filter { mutate { add_tag => ["a",] } }'],
    ['commas between pairs', 'filter { mutate { add_field => { "a" => "b", "c" => "d" } } }'],
    ['a backslash before the closing quote', 'filter { mutate { add_tag => "a\\\\" add_field => { "b" => "c" } } }'],
    ['an unquoted reference', 'filter { http { request_timeout => ${T:3} } }'],
    ['= for =>', 'filter { http { verb = "POST" } }'],
    [': for =>', 'filter { http { url: "x" } }'],
    ['an unclosed block', 'filter { http { url => "x" }'],
    ['an unclosed field', 'filter { if [a == 1 { drop { } } }'],
    ['&& for and', 'filter { if [a] && [b] { drop { } } }'],
    ['= in a condition', 'filter { if [a] = 1 { drop { } } }'],
    ['an unknown section', 'filters { mutate { } }'],
    ['a semicolon', 'filter { mutate { id => "a"; } }'],
    ['an else without if', 'filter { else { drop { } } }'],
    ['a bare ! before text', 'filter { if !"a" { drop { } } }'],
    ['an unclosed string', 'filter { mutate { id => "a } }'],
    ['a plugin without braces', 'filter { mutate }'],
    ['a value that is none', 'filter { mutate { id => } }'],
  ])('refuses %s', (_, text) => {
    expect(() => parsePipeline(text)).toThrow(LogstashSyntaxError);
  });

  it.each([
    ['[a] and [b] or [c]', { c: 1 }, true],
    ['[c] or [a] and [b]', { c: 1 }, true],
    ['([c] or [a]) and [b]', { c: 1 }, false],
    ['![a]', {}, true],
    ['![a]', { a: false }, true],
    ['[a]', { a: 0 }, true],
    ['[l][0]', { l: [{ x: 1 }] }, true],
    ['[l][0]', { l: { x: 1 } }, false],
    ['[l][0]', { l: [] }, false],
    ['"x" in [tags]', {}, false],
    ['"x" in [tags]', { tags: ['x'] }, true],
    ['"x" not in [tags]', {}, true],
    ['[a] == "1"', { a: 1 }, false],
    ['[n] >= 5', { n: 5 }, true],
    ['[n] >= 5', {}, false],
    ['[m] =~ /^b/', { m: 'abc' }, false],
  ])('reads %s on %j as %s', (condition, event, expected) => {
    const [section] = parsePipeline(`filter { if ${condition} { drop { } } }`);
    const [branch] = section?.body ?? [];
    expect(branch?.kind === 'branch' && branch.arms[0]?.condition ? holds(branch.arms[0].condition, event) : null).toBe(expected);
  });
});

describe('the checker', () => {
  const http = (options: string) =>
    pipelineFaults(`filter { http { id => "x" url => "http://a" target_body => "[@metadata][x]" ${options} } }`);

  it.each([
    ['targt_body => "x"', "Unknown setting 'targt_body' for http"],
    ['verb => "TRACE"', 'verb has to be one of'],
    ['body_format => "xml"', 'body_format has to be one of'],
    ['ssl_verification_mode => "certificate"', 'ssl_verification_mode has to be one of'],
    ['cacert => "/x"', 'cacert is obsolete'],
    ['socket_timeout => "soon"', 'socket_timeout has to be a number'],
    ['cookies => "maybe"', 'cookies has to be true or false'],
    ['headers => "x"', 'headers has to be a hash'],
    ['ssl_certificate_authorities => ["a", "b"]', 'takes 1 entry at most'],
    ['ssl_supported_protocols => ["SSLv3"]', 'does not know SSLv3'],
    ['body => { "a" => "b" }', 'a body that is no text needs body_format'],
    ['user => "${NAME}"', 'has no default'],
    ['url => "http://b"', 'http has url twice'],
    ['id => "y"', 'http has id twice'],
  ])('finds %s', (options, fault) => {
    expect(http(options).join('\n')).toContain(fault);
  });

  it.each([
    ['filter { http { url => "http://a" target_body => "x" } }', 'http has no id'],
    ['filter { http { id => "x" url => "http://a" } }', 'http has no target_body'],
    ['filter { mutate { id => "x" } mutate { id => "x" } }', 'id x is there twice'],
    ['filter { if [a] { mutate { } } }', 'mutate has no id'],
    ['filter { mutate { id => "x" } } # ${SECRET}', 'in a comment'],
    ['# see ${SECRET}\nfilter { mutate { id => "x" } }', 'in a comment'],
    ['filter { http { id => "x" target_body => "x" url => "http://a/check?key=${API_KEY:none}" } }', 'a secret in url'],
    ['output { elasticsearch { id => "x" hosts => ["http://u:p@es:9200"] } }', 'a secret in hosts'],
    ['filter { mutate { id => "x" add_tag => ["a" "b"] } }', 'expected ,'],
  ])('finds the fault of %s', (text, fault) => {
    expect(pipelineFaults(text).join('\n')).toContain(fault);
  });

  it.skipIf(!hasFixtures)('knows every option, enum and old name of the plugin', () => {
    const plugin = readJsonFixture('elastic/logstash-http-filter-options.json') as {
      options: Record<string, { values?: string[] }>;
      obsolete_in_2_0_0: Record<string, string>;
      common_filter_options: string[];
    };
    const table = JSON.parse(readFileSync(join(projectRoot, 'test', 'support', 'logstash-http-filter.json'), 'utf8'));
    expect(Object.keys(table.options).toSorted()).toEqual([...Object.keys(plugin.options), ...plugin.common_filter_options].toSorted());
    expect(table.obsolete).toEqual(plugin.obsolete_in_2_0_0);
    for (const [name, { values }] of Object.entries(plugin.options)) expect(table.options[name].values).toEqual(values);
  });
});
