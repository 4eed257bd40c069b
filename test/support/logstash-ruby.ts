/** What the ruby filters that are shipped do, by their id, in TypeScript: `test/logstash/ruby.test.ts` holds both to the same answers. */
import { ROLL_UP_MEMBERS } from '../../src/mapping/ecs-roll-up.ts';
import { type LogstashEvent, addTag, getField, removeField, setField } from './logstash-event.ts';

/** What their globals hold. */
export interface RubyMemory {
  failures: number;
  skipUntilMs: number;
}

type Json = Record<string, unknown>;

/** The names in 20-lookup-fields.conf. */
export const FIELD_NAMES = [
  'source.ip',
  'destination.ip',
  'client.ip',
  'server.ip',
  'destination.domain',
  'url.full',
  'url.domain',
  'dns.question.name',
  'dns.resolved_ip',
  'file.hash.sha256',
  'file.hash.sha1',
  'file.hash.md5',
  'process.hash.sha256',
];
const VERDICTS = new Set<unknown>(['malicious', 'suspicious', 'clean', 'unknown']);
const MEMBERS = new Set<string>(ROLL_UP_MEMBERS);
const SKIP_MS = 10_000;
const MOST_FAILURES = 3;
/** A look-up of the playbook's form that took so long was ended by its time limit. */
const MOST_PLAYBOOK_S = 2.5;
const NO_ANSWER = { verdict: 'unknown', status: 'unavailable', tier: 'review', source: 'none' };

const CODE: Readonly<Record<string, (event: LogstashEvent, memory: RubyMemory) => void>> = {
  ismalicious_ask_event(event, memory) {
    const { '@metadata': _, ...visible } = event;
    ask(event, memory, JSON.stringify(visible));
  },
  ismalicious_ask_fields(event, memory) {
    const body: Json = {};
    for (const name of FIELD_NAMES) {
      const found = picked(event, name.split('.')).filter((one) => typeof one === 'string');
      if (found.length > 0) body[name] = found;
    }
    removeField(event, '[@metadata][ismalicious]');
    if (Object.keys(body).length > 0) ask(event, memory, JSON.stringify({ ...body, '@version': '1' }));
  },
  ismalicious_ask_playbook(event, memory) {
    setField(event, '[@metadata][ismalicious_asked]', performance.now() < memory.skipUntilMs ? 'skipped' : 'asked');
    setField(event, '[@metadata][ismalicious_asked_at]', performance.now() / 1000);
  },
  ismalicious_result: takeResult,
  ismalicious_playbook_guard: guardPlaybook,
  ismalicious_spool_day(event) {
    setField(event, '[@metadata][ismalicious_day]', new Date().toISOString().slice(0, 10));
  },
};

/** Runs the filter's code. */
export function runRuby(id: string, event: LogstashEvent, memory: RubyMemory): void {
  const code = CODE[id];
  if (code === undefined) throw new Error(`the runner does not know the ruby filter ${id}`);
  code(event, memory);
}

function ask(event: LogstashEvent, memory: RubyMemory, body: string): void {
  removeField(event, '[@metadata][ismalicious]');
  const isOpen = performance.now() < memory.skipUntilMs;
  if (!isOpen) setField(event, '[@metadata][ismalicious_body]', body);
  setField(event, '[@metadata][ismalicious_asked]', isOpen ? 'skipped' : 'asked');
}

function picked(value: unknown, parts: readonly string[]): unknown[] {
  if (parts.length === 0) return [value].flat(Infinity);
  if (Array.isArray(value)) return value.flat(Infinity).flatMap((one) => picked(one, parts));
  if (!isObject(value)) return [];
  return parts.flatMap((_, n) => picked(value[parts.slice(0, n + 1).join('.')], parts.slice(n + 1)));
}

function takeResult(event: LogstashEvent, memory: RubyMemory): void {
  const asked = getField(event, '[@metadata][ismalicious_asked]') === 'asked';
  const given = getField(event, '[@metadata][ismalicious]');
  const isAnswer = asked && isObject(given) && VERDICTS.has(given.verdict) && typeof given.status === 'string';
  const answer: Json = isAnswer ? given : {};
  const hasWaited = answer.status === 'timeout' && answer.source === 'none';
  if (isAnswer && !hasWaited) memory.failures = 0;
  else if (asked && ++memory.failures >= MOST_FAILURES) memory.skipUntilMs = performance.now() + SKIP_MS;
  if (answer.nothing_to_look_up === true) return;
  const there = event.ismalicious ?? null;
  const isRoom = there === null || isObject(there);
  const flat = isAnswer ? only(answer, (name, value) => MEMBERS.has(name) && value !== null) : NO_ANSWER;
  if (isRoom) event.ismalicious = structuredClone({ ...only((there ?? {}) as Json, (name) => !MEMBERS.has(name)), ...flat });
  add(event, ['threat', 'enrichments'], answer.enrichments);
  const related = isObject(answer.related) ? answer.related : {};
  for (const list of ['ip', 'hosts', 'hash']) add(event, ['related', list], related[list]);
  const hasFailed = !isAnswer || answer.failed === true;
  if (hasFailed) addTag(event, '_ismalicious_failure');
  if (!isAnswer) addTag(event, '_ismalicious_unavailable');
  if (!isRoom) addTag(event, '_ismalicious_conflict');
  const again = 'retry' in answer ? answer.retry === true : answer.failed === true && answer.status !== 'invalid';
  if (!isAnswer || again) setField(event, '[@metadata][ismalicious_spool]', 'yes');
}

function add(event: LogstashEvent, [root, list]: readonly [string, string], items: unknown): void {
  const parent = event[root] ?? {};
  if (!Array.isArray(items) || items.length === 0 || !isObject(parent)) return;
  const before = [parent[list] ?? []].flat() as unknown[];
  const nameOf = (one: unknown) => (isObject(one) && isObject(one.matched) ? (one.matched.id ?? one) : one);
  const known = before.map(nameOf);
  const fresh = items.filter((one) => !known.includes(nameOf(one)));
  if (fresh.length > 0) event[root] = structuredClone({ ...parent, [list]: [...before, ...fresh] });
}

function guardPlaybook(event: LogstashEvent, memory: RubyMemory): void {
  const threat = event.threat;
  const old = isObject(threat) ? threat.enrichment : null;
  const said = isObject(old) ? [old.malicious].flat().at(-1) : null;
  const asked = getField(event, '[@metadata][ismalicious_asked]');
  const isSkipped = asked === 'skipped';
  const hasAnswer = !isSkipped && ['true', 'false'].includes(String(said));
  if (asked === 'asked') {
    const nowMs = performance.now();
    const askedAt = (getField(event, '[@metadata][ismalicious_asked_at]') ?? nowMs / 1000) as number;
    memory.failures = !hasAnswer && nowMs / 1000 - askedAt >= MOST_PLAYBOOK_S ? memory.failures + 1 : 0;
    if (memory.failures >= MOST_FAILURES) memory.skipUntilMs = nowMs + SKIP_MS;
  }
  if (hasAnswer || (!isSkipped && getField(event, '[ismalicious][riskScore]') !== undefined)) return;
  if (isObject(threat) && isObject(old)) {
    const gone = isSkipped ? ['malicious', 'score', 'category'] : [];
    const rest = only(old, (name, value) => !gone.includes(name) && ![value].flat().some((one) => String(one).startsWith('%{')));
    const others = only(threat, (name) => name !== 'enrichment');
    const left = Object.keys(rest).length > 0 ? { ...others, enrichment: rest } : others;
    if (Object.keys(left).length === 0) removeField(event, '[threat]');
    else event.threat = left;
  }
  const message = 'not listed, not sent out, or the look-up failed';
  event.ismalicious = { verdict: 'unknown', tier: 'review', source: 'none', message };
}

function only(object: Json, holds: (name: string, value: unknown) => boolean): Json {
  return Object.fromEntries(Object.entries(object).filter(([name, value]) => holds(name, value)));
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
