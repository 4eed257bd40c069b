import fc from 'fast-check';
import { DEFAULT_FIELDS } from '../../../src/events/wanted-fields.ts';
import { parseLossless } from './lossless-json.ts';
import type { LosslessMember, LosslessNode } from './lossless-json.ts';

/** What the stand-in engine says about the values that generated events hold. */
export const SAYINGS = {
  '45.9.148.114': { verdict: 'malicious', score: 91, categories: ['c2', 'botnet'], sightings: 12, firstSeen: '2026-01-02T03:04:05Z' },
  '2a00:1450:4001:81b::200e': { verdict: 'suspicious', score: 55 },
  'login.evil-host.com': { verdict: 'malicious', score: 80, reference: 'https://ismalicious.com/x' },
  'http://login.evil-host.com/a?b=c,d': { verdict: 'suspicious', score: 41 },
  '44d88612fea8a8f36de82e1278abb02f': { verdict: 'malicious', score: 99 },
  '9.9.9.9': { verdict: 'unknown' },
  '1.1.1.1': { verdict: 'unknown', status: 'timeout', message: 'no answer in time' },
  '8.8.4.4': { verdict: 'clean', autoResolve: false, confidence: 10 },
  '*': { verdict: 'clean' },
} as const;

const VALUES = [
  ...Object.keys(SAYINGS).filter((value) => value !== '*'),
  '45[.]9[.]148[.]114',
  'LOGIN.evil-host.com.',
  '8.8.8.8',
  'www.example-shop.de',
  'bücher.de',
  '10.1.2.3',
  '192.168.0.7',
  'fe80::1',
  'printer.local',
  'not an indicator, but "text" \\ with\tescapes',
  '',
  '300.1.2.3',
  '%{[source][ip]}',
];

const NUMBERS = ['0', '-0.0', '1.10', '1E5', '12345678901234567890', '1e-7', '-9007199254740993', '0.1000'];
const KEYS = [
  '',
  'a',
  'sourc',
  'sources',
  'source.ipx',
  'url',
  'ürl',
  '__proto__',
  'constructor',
  'message',
  'event',
  'labels.x',
  'hash',
  'ip',
  'data',
];

/** Shapes in which events bring what we add to; `undefined`: not at all. */
export const EXISTING: Readonly<Record<string, readonly string[]>> = {
  threat: [
    'null',
    '"a string"',
    '{}',
    '{ }',
    '{"framework":"MITRE"}',
    '{"enrichments":null}',
    '{"enrichments":[]}',
    '{"enrichments":[ ]}',
    '{"enrichments":[{"indicator":{"ip":"1.2.3.4"}}]}',
    '{"enrichments":{"indicator":{"ip":"1.2.3.4"}}}',
    '{"enrichments":"x","x":[1.0]}',
    '[{"framework":"MITRE"}]',
    '[]',
    '7',
  ],
  'threat.enrichments': ['null', '[]', '[{"matched":{"id":"1"}}]', '{"matched":{"id":"1"}}', '"x"'],
  'threat.framework': ['"MITRE"'],
  ismalicious: ['null', '{}', '{ "note": "mine" }', '{"verdict":"theirs","score":1.50}', '"x"', '[]'],
  'ismalicious.verdict': ['"mine"'],
  related: [
    'null',
    '{}',
    '{"ip":[]}',
    '{"ip":["8.8.8.8","10.1.2.3"],"user":["me"]}',
    '{"ip":"8.8.8.8"}',
    '{"ip":null,"hosts":["login.evil-host.com"],"hash":[]}',
    '"x"',
    '[{"ip":["8.8.8.8"]}]',
    '{"ip":7}',
  ],
  'related.ip': ['["9.9.9.9"]', '"9.9.9.9"', 'null'],
  tags: ['null', '[]', '["a"]', '"a"', '["_ismalicious_failure"]', '{"a":1}', '7'],
};

const space = fc.constantFrom('', '', '', '', ' ', '\t', '  ');

function spelled(text: string, escapes: boolean): string {
  if (!escapes || text === '') return JSON.stringify(text);
  const first = text.charCodeAt(0).toString(16).padStart(4, '0');
  return `"\\u${first}${JSON.stringify(text.slice(1)).slice(1)}`;
}

const text = (of: fc.Arbitrary<string>) =>
  fc.tuple(of, fc.integer({ min: 0, max: 9 })).map(([value, n]): LosslessNode => ({ kind: 'scalar', text: spelled(value, n === 0) }));
const scalar = fc.oneof(
  text(fc.constantFrom(...VALUES)),
  fc.constantFrom(...NUMBERS, 'true', 'false', 'null').map((value): LosslessNode => ({ kind: 'scalar', text: value })),
);

const member = (key: fc.Arbitrary<string>, value: fc.Arbitrary<LosslessNode>): fc.Arbitrary<LosslessMember> =>
  fc.record({
    space: fc.tuple(space, space, space, space),
    key: fc.tuple(key, fc.integer({ min: 0, max: 19 })).map(([name, n]) => spelled(name, n === 0)),
    value,
  });
const object = (members: fc.Arbitrary<LosslessMember[]>): fc.Arbitrary<LosslessNode> =>
  fc.tuple(members, space).map(([list, tail]) => ({ kind: 'object', members: list, tail: list.length === 0 ? tail : '' }));
const array = (values: fc.Arbitrary<LosslessNode[]>): fc.Arbitrary<LosslessNode> =>
  fc.tuple(values, space, space).map(([list, a, b]) => ({
    kind: 'array',
    items: list.map((value) => ({ space: [a, b] as const, value })),
    tail: list.length === 0 ? a : '',
  }));

const anything = fc.letrec<{ node: LosslessNode }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    array(fc.array(tie('node'), { maxLength: 3 })),
    object(fc.array(member(fc.constantFrom(...KEYS), tie('node')), { maxLength: 3 })),
  ),
})).node;

/** What stands at a wanted field: mostly values, sometimes what has no business there. */
const leaf = fc.oneof(
  { weight: 6, arbitrary: text(fc.constantFrom(...VALUES)) },
  { weight: 2, arbitrary: array(fc.array(text(fc.constantFrom(...VALUES)), { maxLength: 4 })) },
  { weight: 1, arbitrary: anything },
);

/** A wanted field in one of its forms: nested, dotted, or partly so, its parents now and then in an array. */
const wanted = fc
  .record({
    path: fc.constantFrom(...DEFAULT_FIELDS, 'dns.answers.data', 'destination.ip', 'source.ip'),
    cuts: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
    inArray: fc.integer({ min: 0, max: 5 }),
    leaf,
    spaces: fc.tuple(space, space, space, space),
  })
  .map(({ path, cuts, inArray, leaf: value, spaces }) => {
    const keys = path
      .split('.')
      .reduce<string[]>((all, part, n) => (n > 0 && cuts[n] ? [...all.slice(0, -1), `${all.at(-1)}.${part}`] : [...all, part]), []);
    return keys.reduceRight<LosslessNode>((inner, key, n) => {
      const node: LosslessNode = { kind: 'object', members: [{ space: spaces, key: JSON.stringify(key), value: inner }], tail: '' };
      return n > 0 && inArray === 0 ? { kind: 'array', items: [{ space: ['', ''], value: node }], tail: '' } : node;
    }, value);
  })
  .map((node) => (node.kind === 'object' ? node.members[0] : undefined))
  .filter((one) => one !== undefined);

const existing = fc
  .constantFrom(...Object.entries(EXISTING).flatMap(([key, shapes]) => shapes.map((shape) => ({ key, shape }))))
  .map(({ key, shape }): LosslessMember => ({ space: ['', '', '', ''], key: JSON.stringify(key), value: parseLossless(shape).node }));

/** Events of all shapes, as trees that lose nothing. No key that we write to stands twice: engines refuse that. */
export const eventTrees: fc.Arbitrary<LosslessNode> = fc
  .tuple(
    fc.array(fc.oneof(wanted, wanted, member(fc.constantFrom(...KEYS), anything)), { maxLength: 6 }),
    fc.uniqueArray(existing, { maxLength: 3, selector: ({ key }) => key.split('.')[0] }),
    fc.array(fc.nat(), { minLength: 9, maxLength: 9 }),
    space,
  )
  .map(([members, others, order, tail]) => {
    const all = [...members, ...others].map((one, n) => ({ one, place: order[n] ?? 0 })).sort((a, b) => a.place - b.place);
    return { kind: 'object', members: all.map(({ one }) => one), tail: all.length === 0 ? tail : '' };
  });
