import { describe, expect, it } from 'vitest';
import { createFakeEnricher } from '../support/fake-sidecar-enricher.ts';
import { enriched, faultIn, textEnricherOn } from './support/text-enricher.ts';

const BAD = '45.9.148.114';
const engine = createFakeEnricher({
  sayings: {
    [BAD]: { verdict: 'malicious' },
    'evil-host.com': { verdict: 'suspicious' },
    '9.9.9.9': { verdict: 'unknown' },
    '1.1.1.1': { verdict: 'unknown', status: 'timeout', message: 'no answer in time' },
    '8.8.4.4': { verdict: 'clean', autoResolve: false },
  },
});
const texts = textEnricherOn(engine);
const run = (text: string) => enriched(texts, text);

/** The output with what we added shortened to its name, so that a row shows where it went. */
function outline(text: string): string {
  return run(text)
    .replaceAll(/\{"indicator":\{.*?"feed":\{"name":"isMalicious"\}\}/g, '<entry>')
    .replaceAll(/"ismalicious":\{[^{}]*\}/g, '"ismalicious":<roll-up>')
    .replaceAll(/"related":\{"ip":\["45\.9\.148\.114"\]\}/g, '"related":<related>');
}

describe('where entries go', () => {
  const ip = `"destination":{"ip":"${BAD}"}`;
  const rest = ',"ismalicious":<roll-up>}';
  it.each([
    ['nothing there', `{${ip}}`, `{${ip},"related":<related>,"threat":{"enrichments":[<entry>]}${rest}`],
    ['white space', `{ ${ip} , "n" : 1 }`, `{ ${ip} , "n" : 1 ,"related":<related>,"threat":{"enrichments":[<entry>]}${rest}`],
    ['threat null', `{"threat":null,${ip}}`, `{"threat":{"enrichments":[<entry>]},${ip},"related":<related>${rest}`],
    ['threat empty', `{"threat":{ },${ip}}`, `{"threat":{ "enrichments":[<entry>]},${ip},"related":<related>${rest}`],
    ['threat with members', `{"threat":{"a":1 },${ip}}`, `{"threat":{"a":1 ,"enrichments":[<entry>]},${ip},"related":<related>${rest}`],
    ['threat a string', `{"threat":"x",${ip}}`, `{"threat":"x",${ip},"related":<related>${rest}`],
    ['threat a list', `{"threat":[{"a":1}],${ip}}`, `{"threat":[{"a":1}],${ip},"related":<related>${rest}`],
    ['enrichments null', `{"threat":{"enrichments":null},${ip}}`, `{"threat":{"enrichments":[<entry>]},${ip},"related":<related>${rest}`],
    ['enrichments empty', `{"threat":{"enrichments":[ ]},${ip}}`, `{"threat":{"enrichments":[ <entry>]},${ip},"related":<related>${rest}`],
    [
      'enrichments a list',
      `{"threat":{"enrichments":[{"a":1}]},${ip}}`,
      `{"threat":{"enrichments":[{"a":1},<entry>]},${ip},"related":<related>${rest}`,
    ],
    [
      'enrichments a single object',
      `{"threat":{"enrichments":{"a":1}},${ip}}`,
      `{"threat":{"enrichments":[{"a":1},<entry>]},${ip},"related":<related>${rest}`,
    ],
    ['enrichments a string', `{"threat":{"enrichments":"x"},${ip}}`, `{"threat":{"enrichments":"x"},${ip},"related":<related>${rest}`],
    [
      'enrichments dotted',
      `{"threat.enrichments":[{"a":1}],${ip}}`,
      `{"threat.enrichments":[{"a":1},<entry>],${ip},"related":<related>${rest}`,
    ],
    [
      'enrichments dotted, single and last',
      `{${ip},"threat.enrichments":{"a":1}}`,
      `{${ip},"threat.enrichments":[{"a":1},<entry>],"related":<related>${rest}`,
    ],
    [
      'another member of threat dotted',
      `{"threat.framework":"x",${ip}}`,
      `{"threat.framework":"x",${ip},"related":<related>,"threat":{"enrichments":[<entry>]}${rest}`,
    ],
    [
      'the key with an escape',
      `{"\\u0074hreat":{"a":1},${ip}}`,
      `{"\\u0074hreat":{"a":1,"enrichments":[<entry>]},${ip},"related":<related>${rest}`,
    ],
  ])('%s', (_, before, after) => {
    expect(outline(before)).toBe(after);
  });
});

describe('where values are found', () => {
  it.each([
    ['nested', `{"destination":{"ip":"${BAD}"}}`, 'destination.ip'],
    ['dotted', `{"destination.ip":"${BAD}"}`, 'destination.ip'],
    ['partly dotted', '{"file.hash":{"md5":"44d88612fea8a8f36de82e1278abb02f"}}', 'file.hash.md5'],
    ['in a list', `{"dns":{"resolved_ip":["10.0.0.1","${BAD}"]}}`, 'dns.resolved_ip'],
    ['in a list of objects', `{"dns":{"answers":[{"data":"10.0.0.1"},{"data":"${BAD}"}]}}`, 'dns.answers.data'],
    ['in a list of objects, dotted', `{"dns.answers":[{"data":"${BAD}"}]}`, 'dns.answers.data'],
    ['below a key with an escape', `{"\\u0064estination":{"\\u0069p":"${BAD}"}}`, 'destination.ip'],
    ['with an escape in it', '{"destination":{"ip":"\\u00345.9.148.114"}}', 'destination.ip'],
    ['defanged', '{"destination":{"ip":"45[.]9[.]148[.]114"}}', 'destination.ip'],
  ])('%s', (_, event, field) => {
    expect((JSON.parse(run(event)) as { ismalicious: { field: string } }).ismalicious.field).toBe(field);
  });

  it.each([
    ['no wanted field', '{"message":"45.9.148.114","host":{"ip":"45.9.148.114"}}'],
    ['an empty value', '{"destination":{"ip":""}}'],
    ['null', '{"destination":{"ip":null}}'],
    ['a number', '{"destination":{"ip":759862386}}'],
    ['an object', '{"destination":{"ip":{"x":"45.9.148.114"}}}'],
    ['a key that only begins alike', '{"destination":{"ipx":"45.9.148.114"},"destinatio":{"ip":"45.9.148.114"}}'],
    ['a text in a field that holds texts too', '{"dns":{"answers":[{"data":"v=spf1 -all"}]},"url":{"original":"/index.html"}}'],
    ['an empty event', '{ }'],
  ])('%s: the event stays as it is', (_, event) => {
    expect(run(event)).toBe(event);
  });
});

describe('numbers, spellings and order', () => {
  it('stay as they are', () => {
    const head = '{"a":12345678901234567890,"b":1.10,"c":1E5,"d":-0.0,"e":"\\u00e9\\/","f":[1.0 , 2],"a":1,"z":{},"b":null';
    expect(run(`${head},"destination":{"ip":"8.8.8.8"}}`).startsWith(`${head},"destination":{"ip":"8.8.8.8"},`)).toBe(true);
  });
});

describe('the worst of several values', () => {
  const rollUp = (event: object) => (JSON.parse(run(JSON.stringify(event))) as { ismalicious: Record<string, unknown> }).ismalicious;
  it.each([
    ['malicious over suspicious', { source: { ip: BAD }, url: { domain: 'evil-host.com' } }, { verdict: 'malicious', field: 'source.ip' }],
    [
      'a failure over a clean one',
      { source: { ip: '8.8.8.8' }, destination: { ip: '1.1.1.1' } },
      { verdict: 'unknown', status: 'timeout' },
    ],
    ['an unknown over a clean one', { source: { ip: '8.8.8.8' }, destination: { ip: '9.9.9.9' } }, { verdict: 'unknown', status: 'ok' }],
    [
      'an invalid over a clean one',
      { source: { ip: '8.8.8.8' }, destination: { ip: '300.1.1.1' } },
      { verdict: 'unknown', status: 'invalid' },
    ],
    [
      'a clean one over a private one',
      { source: { ip: '10.0.0.1' }, destination: { ip: '8.8.8.8' } },
      { verdict: 'clean', malicious: false, auto_resolve: true },
    ],
    ['nothing but private', { source: { ip: '10.0.0.1' } }, { verdict: 'unknown', status: 'skipped_private', indicator: '10.0.0.1' }],
    [
      'one that forbids to close the event',
      { source: { ip: '8.8.4.4' }, destination: { ip: '8.8.8.8' } },
      { verdict: 'clean', auto_resolve: false },
    ],
  ])('%s', (_, event, expected) => {
    expect(rollUp(event)).toMatchObject(expected);
  });
});

describe('related.*', () => {
  const related = (event: string) => (JSON.parse(run(event)) as { related: unknown }).related;
  it.each([
    [
      'names each value once, in its canonical spelling',
      '{"url":{"domain":"EVIL-host.com"},"dns":{"question":{"name":"evil-host.com."}},"source":{"ip":"10.0.0.1"}}',
      { hosts: ['evil-host.com'], ip: ['10.0.0.1'] },
    ],
    [
      'leaves what is listed',
      '{"source":{"ip":"10.0.0.1"},"related":{"ip":["10.0.0.1"],"user":["me"]}}',
      { ip: ['10.0.0.1'], user: ['me'] },
    ],
    ['is added to', '{"source":{"ip":"10.0.0.1"},"related":{"ip":["8.8.8.8"]}}', { ip: ['8.8.8.8', '10.0.0.1'] }],
    [
      'a single value becomes a list',
      '{"related":{"ip":"8.8.8.8"},"source":{"ip":"10.0.0.1"},"url":{"domain":"evil-host.com"}}',
      { ip: ['8.8.8.8', '10.0.0.1'], hosts: ['evil-host.com'] },
    ],
    ['that is no object is left alone', '{"related":"x","source":{"ip":"10.0.0.1"}}', 'x'],
  ])('%s', (_, event, expected) => {
    expect(related(event)).toEqual(expected);
  });

  it('stays free of doubles in events with thousands of values', () => {
    const ips = Array.from({ length: 3000 }, (_, n) => `9.${n % 7}.${Math.trunc(n / 500)}.${n % 250}`);
    const event = JSON.stringify({ dns: { resolved_ip: ips }, related: { ip: ips.slice(0, 1000) } });
    const before = ips.slice(0, 1000);
    const added = new Set(ips.filter((ip) => !before.includes(ip)));
    expect((related(event) as { ip: string[] }).ip).toEqual([...before, ...added]);
  });
});

describe('tags', () => {
  const failing = '"destination":{"ip":"1.1.1.1"}';
  it.each([
    [`{${failing}}`, ['_ismalicious_failure']],
    [`{${failing},"tags":["a"]}`, ['a', '_ismalicious_failure']],
    [`{${failing},"tags":"a"}`, ['a', '_ismalicious_failure']],
    [`{${failing},"tags":[]}`, ['_ismalicious_failure']],
    [`{${failing},"tags":null}`, ['_ismalicious_failure']],
    [`{${failing},"tags":["_ismalicious_failure"]}`, ['_ismalicious_failure']],
    [`{${failing},"tags":{"a":1}}`, { a: 1 }],
    [`{${failing},"ismalicious":"mine"}`, ['_ismalicious_failure', '_ismalicious_conflict']],
    ['{"destination":{"ip":"8.8.8.8"}}', undefined],
    ['{"source":{"ip":"10.0.0.1"}}', undefined],
  ])('%s', (event, tags) => {
    expect((JSON.parse(run(event)) as { tags?: unknown }).tags).toEqual(tags);
  });
});

describe('an ismalicious of the event', () => {
  const rollUp = (event: string) => (JSON.parse(run(event)) as { ismalicious?: Record<string, unknown>; tags?: unknown }) ?? {};
  const clean = '"verdict":"clean","status":"ok","score":0,"tier":"log","auto_resolve":true,"malicious":false';

  it('with other members gets ours beside them', () => {
    expect(rollUp(`{"ismalicious":{"note":"mine"},"destination":{"ip":"${BAD}"}}`).ismalicious).toMatchObject({ note: 'mine', score: 87 });
  });

  it.each([
    [`{"ismalicious":{"note":"mine","score":1.50},"destination":{"ip":"${BAD}"}}`],
    [`{"ismalicious.verdict":"mine","destination":{"ip":"${BAD}"}}`],
  ])('that is none of ours stays as it is, and the event is tagged: %s', (event) => {
    expect(run(event)).toContain(event.slice(1, event.indexOf(',"destination"')));
    expect(rollUp(event).tags).toEqual(['_ismalicious_conflict']);
  });

  it.each([
    [`{"ismalicious":{"note":1,${clean},"by":{"a":[1,"}"]}},"destination":{"ip":"${BAD}"}}`],
    [`{"ismalicious":{${clean}},"destination":{"ip":"${BAD}"}}`],
    [`{"ismalicious.verdict":"clean","ismalicious.auto_resolve":true,"destination":{"ip":"${BAD}"}}`],
    [`{"destination":{"ip":"${BAD}"},"ismalicious.verdict":"clean" , "ismalicious.status":"ok","n":1, "ismalicious.auto_resolve":true}`],
  ])('gives way whole to a worse one: %s', (event) => {
    const after = rollUp(event) as Record<string, unknown> & { ismalicious: Record<string, unknown> };
    expect(after.ismalicious).toMatchObject({ verdict: 'malicious', malicious: true, score: 87, tier: 'p1', auto_resolve: false });
    expect(Object.keys(after).filter((name) => name.startsWith('ismalicious.'))).toEqual([]);
    expect(after).toMatchObject({ destination: { ip: BAD }, ...(event.includes('"n":1') && { n: 1 }) });
    if (event.includes('note')) expect(after.ismalicious).toMatchObject({ note: 1, by: { a: [1, '}'] } });
  });

  it.each([
    [`{"ismalicious":{"verdict":"unknown","status":"timeout","tier":"review","auto_resolve":false},"destination":{"ip":"${BAD}"}}`],
    [`{"ismalicious":{"verdict":"malicious","status":"ok","score":99},"destination":{"ip":"${BAD}"}}`],
    [`{"ismalicious.verdict":"malicious","ismalicious.score":99,"destination":{"ip":"${BAD}"}}`],
  ])('stays whole where it failed before, or is no better: %s', (event) => {
    expect(run(event)).toContain(event.slice(1, event.indexOf(',"destination"')));
    expect(Object.keys(rollUp(event).ismalicious ?? {})).toEqual(
      Object.keys((JSON.parse(event) as { ismalicious?: object }).ismalicious ?? {}),
    );
  });
});

describe('the playbook’s own fields', () => {
  const playbook = textEnricherOn(engine, { writesPlaybook: true });
  it.each([
    [`{"destination":{"ip":"${BAD}"}}`, { malicious: true, score: 87, category: ['c2'] }],
    ['{"destination":{"ip":"8.8.8.8"}}', { malicious: false, score: 0, category: [] }],
    ['{"destination":{"ip":"1.1.1.1"}}', { category: [] }],
    ['{"threat":{"enrichment":{"malicious":"true"}},"destination":{"ip":"8.8.8.8"}}', { malicious: 'true' }],
  ])('%s', (event, expected) => {
    expect((JSON.parse(enriched(playbook, event)) as { threat: { enrichment: unknown } }).threat.enrichment).toEqual(expected);
  });

  it('are not written otherwise', () => {
    expect(run('{"destination":{"ip":"8.8.8.8"}}')).not.toContain('"enrichment"');
  });
});

describe('texts that are no events', () => {
  it.each([
    ['', 0],
    ['7', 0],
    ['"x"', 0],
    ['[1]', 1],
    ['[{},"x"]', 4],
    ['{"a":1,}', 7],
    ['{a:1}', 1],
    ['{"a":tru}', 5],
    ['{"a":01}', 5],
    ['{"a":NaN}', 5],
    ['{"a":1}{"b":2}', 7],
    ['{"a":"\n"}', 6],
    ['{"a":"\\x"}', 6],
    ['[{"a":1}', 8],
    ['[{"a":1},]', 9],
    ['{"a":[1,2}', 9],
  ])('%s is refused at byte %i', (text, at) => {
    expect(faultIn(texts, text)).toBe(at);
  });

  it('are refused when they nest too deep, without recursing', () => {
    const deep = (levels: number) => `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    expect(faultIn(texts, deep(31))).toBe(-1);
    expect(faultIn(texts, deep(32))).toBe(36);
    expect(faultIn(texts, deep(100_000))).toBe(36);
    expect(faultIn(texts, `{"destination":${deep(40)}}`)).toBeGreaterThan(0);
  });

  it('are refused when they are too many', () => {
    const few = textEnricherOn(engine, { maxEvents: 2 });
    expect(few.enrich(Buffer.from('[{},{}]'), 'json').kind).toBe('enriched');
    expect(few.enrich(Buffer.from('[{},{},{}]'), 'json').kind).toBe('too-many');
    expect(few.enrich(Buffer.from('{}\n{}\n{}'), 'ndjson').kind).toBe('too-many');
  });
});

describe('lines', () => {
  it('that are no event pass through, counted; the others are enriched', () => {
    const lines = [
      '{"destination":{"ip":"8.8.8.8"}}',
      '{"destination":{"ip":"8.8.8.8"',
      '',
      'junk',
      '{"a":1} 2',
      '[{"a":1}]',
      ' {"b":2} \r',
    ];
    const result = texts.enrich(Buffer.from(lines.join('\n')), 'ndjson');
    if (result.kind !== 'enriched') throw new Error(result.kind);
    const after = result.text.toString().split('\n');
    expect(after.slice(1)).toEqual(lines.slice(1));
    expect(after[0]).toContain('"ismalicious"');
    expect(result).toMatchObject({ events: 3, invalidLines: 4 });
  });

  const bad = `{"destination":{"ip":"${BAD}"}}`;
  it.each<[string, string, number, number]>([
    ['a byte order mark before the first event', `\uFEFF${bad}\n${bad}\n`, 2, 0],
    ['a mark in the middle, as of files put together', `${bad}\n\uFEFF${bad}\n`, 2, 0],
    ['separators of records (RFC 7464)', `\u001e${bad}\n\u001e${bad}\n`, 2, 0],
    ['line ends of one return', `${bad}\r${bad}\r`, 2, 0],
    ['several events in a line', `${bad}${bad} ${bad}\n`, 3, 0],
    ['a comma behind each event', `${bad},\n${bad},\n`, 2, 0],
    ['events in Records', `{"Records":[${bad},${bad}]}\n{"records": [ ${bad} ],"n":1}\n`, 3, 0],
    ['an event and what is cut off', `${bad}{"destination":{"i`, 1, 1],
    ['a number that is none', `{"n":NaN,"destination":{"ip":"${BAD}"}}\n${bad}\n`, 1, 1],
    ['a raw tab in a string', `{"n":"a\tb","destination":{"ip":"${BAD}"}}\n${bad}\n`, 1, 1],
    ['an event over several lines', `{\n"destination":{"ip":"${BAD}"}\n}\n${bad}\n`, 1, 3],
    ['Records that hold no objects', `{"Records":["a"]}\n${bad}\n`, 1, 0],
    ['Records that do not end', `${bad}\n{"Records":[${bad}\n`, 2, 1],
  ])('with %s', (_, text, malicious, invalidLines) => {
    const result = texts.enrich(Buffer.from(text), 'ndjson');
    if (result.kind !== 'enriched') throw new Error(result.kind);
    expect(result.invalidLines).toBe(invalidLines);
    const after = result.text.toString();
    expect(after.match(/"ismalicious":\{/g) ?? []).toHaveLength(malicious);
    expect(after.replaceAll(/,"related":.*?"ismalicious":\{[^{}]*\}\}/g, '}')).toBe(text);
  });
});

describe('events one after another', () => {
  const bad = `{\n "destination": {\n  "ip": "${BAD}"\n }\n}`;
  it.each<[string, string, number, number]>([
    ['over several lines', `${bad}\n${bad}\n`, 2, 0],
    ['with separators and commas', `\u001e${bad},\n${bad}\n\u001e${bad}`, 3, 0],
    ['that break off: reading goes on where a line begins like an event', `{\n "a": {\n${bad}\nnot json\n${bad}`, 2, 2],
    ['in Records', `{ "Records" : [ ${bad}, ${bad} ] }`, 2, 0],
  ])('%s', (_, text, malicious, invalidLines) => {
    const result = texts.enrich(Buffer.from(text), 'sequence');
    if (result.kind !== 'enriched') throw new Error(result.kind);
    expect(result.invalidLines).toBe(invalidLines);
    expect(result.text.toString().match(/"ismalicious":\{/g) ?? []).toHaveLength(malicious);
  });
});

describe('Records', () => {
  const bad = `{"destination":{"ip":"${BAD}"}}`;
  it('of one object are events of their own', () => {
    expect(run(`\uFEFF{"Records":[${bad},${bad}],"next":[1,{"a":2}]}`).match(/"ismalicious":\{/g)).toHaveLength(2);
  });

  it('whose end is no JSON are refused', () => {
    expect(faultIn(texts, `{"Records":[${bad}],"next":}`)).toBe(`{"Records":[${bad}],"next":`.length);
    expect(faultIn(texts, `{"Records":[${bad}]]`)).toBe(`{"Records":[${bad}]`.length);
  });

  it('that are a wanted field stay one event', () => {
    const own = textEnricherOn(engine, { fields: ['Records.ip'] });
    expect(enriched(own, `{"Records":[{"ip":"8.8.8.8"},{"ip":"${BAD}"}]}`).match(/"ismalicious":\{/g)).toHaveLength(1);
  });
});

describe('values that nobody knows yet', () => {
  it('are asked for, each once, and then written', () => {
    const cold = createFakeEnricher({ cold: true });
    const waiting = textEnricherOn(cold);
    const text = Buffer.from(
      '{"destination":{"ip":"8.8.8.8"},"source":{"ip":"10.0.0.1"}}\n{"destination":{"ip":"8.8.8.8"},"url":{"domain":"evil-host.com"}}',
    );
    const first = waiting.enrich(text, 'ndjson');
    expect(first.kind === 'missing' && [...first.values]).toEqual(['8.8.8.8', 'evil-host.com']);
  });
});

describe('a front cache that is too small', () => {
  it('only costs time', () => {
    const tiny = textEnricherOn(engine, { size: 2 });
    const event = JSON.stringify({
      dns: { resolved_ip: Array.from({ length: 50 }, (_, n) => `9.8.7.${n}`) },
      source: { ip: BAD },
      url: { full: `http://evil-host.com/${'x'.repeat(60)}` },
    });
    expect(enriched(tiny, event).replaceAll(/"occurred":"[^"]*"/g, '')).toBe(run(event).replaceAll(/"occurred":"[^"]*"/g, ''));
  });
});

describe('a value that is too long', () => {
  it('is not looked up, and says so', () => {
    const after = JSON.parse(run(JSON.stringify({ url: { full: 'a'.repeat(3000) } }))) as { ismalicious: object };
    expect(after.ismalicious).toMatchObject({ verdict: 'unknown', status: 'invalid' });
  });
});

describe('an event with more values than are looked up', () => {
  const event = (count: number) => `{"destination":{"ip":[${Array(count).fill('"9.9.9.9"').join(',')},"${BAD}"]}}`;
  it.each([
    [9_999, 'malicious', false],
    [10_000, 'unknown', true],
  ])('%d before the one that is malicious: %s, marked as not wholly looked up: %j', (count, verdict, isMarked) => {
    const { ismalicious, tags } = JSON.parse(run(event(count)));
    expect([ismalicious.verdict, ismalicious.auto_resolve, tags]).toEqual([
      verdict,
      false,
      isMarked ? ['_ismalicious_failure'] : undefined,
    ]);
  });
});
