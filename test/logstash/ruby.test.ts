import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ecsEvents } from '../support/ecs-events.ts';
import { projectRoot } from '../support/fixtures.ts';
import { rubyAbsence, runJruby } from '../support/jruby.ts';
import { pluginsOf } from '../support/logstash-check.ts';
import { parsePipeline } from '../support/logstash-config.ts';
import { type LogstashEvent, getField, removeField, setField } from '../support/logstash-event.ts';
import { textOf } from '../support/logstash-http.ts';
import { FIELD_NAMES, runRuby } from '../support/logstash-ruby.ts';

const folder = join(projectRoot, 'logstash', 'conf.d');
/** Code of every ruby filter that is shipped, by its id. */
const codes = Object.fromEntries(
  readdirSync(folder)
    .filter((name) => name.endsWith('.conf'))
    .flatMap((name) => parsePipeline(readFileSync(join(folder, name), 'utf8')).flatMap(({ body }) => pluginsOf(body)))
    .filter(({ name }) => name === 'ruby')
    .map(({ attributes }) => ['id', 'code'].map((option) => textOf(attributes.find(({ name }) => name === option)?.value) ?? '')),
);

interface Case {
  readonly id: string;
  readonly event: LogstashEvent;
  readonly failures: number;
  readonly skips: boolean;
}

/** What may stand where an object or list of ours should be. */
const ODD = [undefined, null, '', 'text', 5, true, [], ['a'], {}, [{ a: 1 }], { a: 1 }];
const ENTRY = { matched: { id: 'ours', field: 'source.ip' }, indicator: { ip: '8.8.8.8' } };
const ANSWERS: readonly unknown[] = [
  undefined,
  null,
  'page',
  [],
  {},
  { ok: true },
  { verdict: 'clean' },
  { verdict: 'good', status: 'ok' },
  { verdict: 'clean', status: 'ok', failed: false, enrichments: [] },
  {
    verdict: 'clean',
    status: 'ok',
    score: null,
    failed: false,
    enrichments: [],
    fields: { a: 1 },
    type: 'ipv4-addr',
    related: { ip: ['8.8.8.8'] },
  },
  {
    verdict: 'malicious',
    status: 'ok',
    score: 90,
    failed: true,
    retry: true,
    enrichments: [ENTRY],
    related: { ip: ['8.8.8.8'], hosts: ['a.example'] },
  },
  { verdict: 'unknown', status: 'invalid', tier: 'review', failed: true, retry: false, enrichments: [] },
  { verdict: 'unknown', status: 'invalid', failed: true },
  { verdict: 'unknown', status: 'timeout', failed: true },
  { verdict: 'unknown', status: 'timeout', source: 'none', failed: true },
  { verdict: 'unknown', status: 'timeout', source: 'cache', failed: true },
  { verdict: 'unknown', status: 'invalid', failed: false, nothing_to_look_up: true, enrichments: [] },
];

function results(): Case[] {
  const before = [
    {},
    ...ODD.map((one) => ({ ismalicious: one })),
    ...ODD.map((one) => ({ threat: one })),
    ...ODD.map((one) => ({ threat: { enrichments: one, tactic: 1 } })),
    ...ODD.map((one) => ({ related: one })),
    ...ODD.map((one) => ({ related: { ip: one, user: ['x'] } })),
    ...[['a', '_ismalicious_failure', '_ismalicious_unavailable'], '_ismalicious_failure', [], null].map((tags) => ({ tags })),
    { ismalicious: { source: 'mine', note: 'kept', verdict: '' }, threat: { enrichments: [{ ...ENTRY, own: true }] } },
  ];
  return before.flatMap((event, n) =>
    ANSWERS.flatMap((ismalicious) =>
      ['asked', 'skipped'].map((asked) => ({
        id: 'ismalicious_result',
        event: { n, ...event, '@metadata': { ismalicious_asked: asked, ...(ismalicious !== undefined && { ismalicious }) } },
        failures: n % 4,
        skips: false,
      })),
    ),
  );
}

function questions(): Case[] {
  const odd: LogstashEvent[] = FIELD_NAMES.flatMap((name) => {
    const [root = '', ...rest] = name.split('.');
    const nested = (value: unknown) => rest.toReversed().reduce<unknown>((inner, part) => ({ [part]: inner }), value);
    return [
      ...ODD.map((one) => ({ [root]: nested(one) })),
      { [name]: '8.8.8.8' },
      { [root]: { [rest.join('.')]: ['8.8.8.8', 5, null, 'http://a.example/x,y'] } },
      { [root]: [nested('8.8.8.8'), nested(['1.1.1.1']), 'text', null] },
      { [root]: nested('8.8.8.8'), [name]: '9.9.9.9' },
    ];
  });
  return [...odd, ...ecsEvents(60)].flatMap((event, n) =>
    ['ismalicious_ask_fields', 'ismalicious_ask_event', 'ismalicious_ask_playbook'].map((id) => ({
      id,
      event,
      failures: 0,
      skips: n % 7 === 0,
    })),
  );
}

function guarded(): Case[] {
  const said = [true, false, 'true', 'false', '%{[ismalicious][malicious]}', ['true', '%{x}'], ['%{x}', 'true'], undefined, null];
  const events: LogstashEvent[] = [
    ...said.map((malicious) => ({ threat: { enrichment: { malicious, score: '%{[a]}', category: 'c2' } }, tags: ['_httprequestfailure'] })),
    ...said.map((malicious) => ({ threat: { tactic: 1, enrichment: { malicious, score: '5' } } })),
    ...ODD.map((threat) => ({ threat })),
    { threat: 'high', ismalicious: { riskScore: { score: 5 }, verdict: 'malicious' }, tags: ['_mutate_error'] },
  ];
  // Asked long ago, not yet, skipped, or nobody knows when.
  const asked = [
    {},
    { ismalicious_asked: 'asked', ismalicious_asked_at: -1e9 },
    { ismalicious_asked: 'asked', ismalicious_asked_at: 1e12 },
    { ismalicious_asked: 'asked' },
    { ismalicious_asked: 'skipped', ismalicious_asked_at: -1e9 },
  ];
  return events.flatMap((event, n) =>
    asked.map((metadata) => ({
      id: 'ismalicious_playbook_guard',
      event: { ...event, '@metadata': metadata },
      failures: n % 4,
      skips: false,
    })),
  );
}

describe.skipIf(rubyAbsence() !== null)('the Ruby that is shipped', () => {
  it('does what the runner of these tests takes it to do, on every odd event', { timeout: 120_000 }, () => {
    const cases = [...results(), ...questions(), ...guarded()].map((one) => JSON.parse(JSON.stringify(one)) as Case);
    expect(cases.length).toBeGreaterThan(1500);
    const input = [codes, ...cases].map((one) => `${JSON.stringify(one)}\n`).join('');
    const lines = runJruby(join(projectRoot, 'test', 'support', 'logstash-ruby.rb'), input)
      .trimEnd()
      .split('\n');
    expect(lines).toHaveLength(cases.length);
    for (const [n, line] of lines.entries()) {
      const { id, event, failures, skips } = cases[n]!;
      const memory = { failures, skipUntilMs: skips ? Number.MAX_SAFE_INTEGER : 0 };
      const mine = structuredClone(event);
      runRuby(id, mine, memory);
      const theirs = JSON.parse(line) as { event: LogstashEvent; failures: number; skips: boolean };
      const what = `${id} of ${JSON.stringify(event)}`;
      expect(withBody(theirs.event), what).toEqual(withBody(JSON.parse(JSON.stringify(mine)) as LogstashEvent));
      expect([theirs.failures, theirs.skips], what).toEqual([memory.failures, memory.skipUntilMs > performance.now()]);
    }
  });
});

it('every ruby filter that is shipped is known to the runner', () => {
  expect(Object.keys(codes).toSorted()).toEqual([
    'ismalicious_ask_event',
    'ismalicious_ask_fields',
    'ismalicious_ask_playbook',
    'ismalicious_playbook_guard',
    'ismalicious_result',
    'ismalicious_spool_day',
  ]);
});

/** The body as JSON: members may stand in any order. */
function withBody(event: LogstashEvent): unknown {
  const body = getField(event, '[@metadata][ismalicious_body]');
  // Clocks of two processes: where a time is set, it is one.
  if (typeof removeField(event, '[@metadata][ismalicious_asked_at]') === 'number')
    setField(event, '[@metadata][ismalicious_asked_at]', 'a time');
  removeField(event, '[@metadata][ismalicious_body]');
  return [event, typeof body === 'string' ? JSON.parse(body) : body];
}
