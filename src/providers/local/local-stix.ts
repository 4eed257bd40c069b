import * as z from 'zod/mini';
import { isoTime } from '../../model/formats/iso-time.ts';
import { systemsNamed, valuesOfObservable } from '../../model/formats/stix-observable.ts';
import { isOwnObject, isOwnTag, type OwnJudgement, readOwnJudgement } from '../../model/formats/own-export.ts';
import { readPattern } from '../../model/formats/stix-pattern.ts';
import { parseIndicator } from '../../model/parse-indicator.ts';
import type { Verdict } from '../../model/verdict.ts';
import type { ListEntry, ReadEntries } from './list-entry.ts';
import { verdictOf } from '../reading/verdict-facts.ts';

const MAX_FAULTS = 20;
/** Indicator types that name no category of threat; ours say no more than the verdict does. */
const THREAT_KINDS: ReadonlySet<string> = new Set(['malicious-activity']);
const OWN_KINDS: ReadonlySet<string> = new Set(['malicious-activity', 'anomalous-activity']);

/** In whatever type it is not expected. */
const notSaid = z.pipe(
  z.optional(z.unknown()),
  z.transform((): undefined => undefined),
);
const text = z.union([z.string(), notSaid]);
const words = z.union([z.array(z.string()), notSaid]);
/** What names the indicator is needed; what stands around it in another type is "not said". */
const Indicator = z.object({
  type: z.literal('indicator'),
  pattern: z.string(),
  pattern_type: text,
  confidence: z.union([z.number().check(z.gte(0), z.lte(100)), notSaid]),
  labels: words,
  indicator_types: words,
  name: text,
  description: text,
  created_by_ref: text,
  valid_from: text,
  valid_until: text,
  modified: text,
  revoked: z.union([z.boolean(), notSaid]),
});

/** Observables and vulnerabilities say of themselves what indicators do. */
const Observable = z.object({
  type: z.string(),
  id: text,
  confidence: z.union([z.number().check(z.gte(0), z.lte(100)), notSaid]),
  labels: words,
  first_observed: text,
  created: text,
  modified: text,
  revoked: z.union([z.boolean(), notSaid]),
});

/**
 * What a STIX bundle lists: indicators whose pattern names values (see `readPattern`; what else it wants is told as faults), observables and
 * vulnerabilities. Revoked ones are left out, and observables that an indicator of the bundle speaks for: it knows more of them. `null`: the text
 * is no bundle.
 */
export function readStixBundle(name: string, body: string): ReadEntries | null {
  const faults: string[] = [];
  const entries: ListEntry[] = [];
  const objects = objectsOf(body);
  if (objects === null) return null;
  const spokenFor = new Set<string>();
  for (const object of objects) {
    if ((object as { type?: unknown } | null)?.type !== 'indicator') continue;
    const parsed = Indicator.safeParse(object);
    const found = parsed.success ? entriesOf(name, parsed.data, spokenFor) : { entries: [], faults: ['is not a STIX 2.1 indicator'] };
    for (const entry of found.entries) entries.push(entry);
    for (const fault of found.faults.slice(0, MAX_FAULTS - faults.length))
      faults.push(`${name}, ${String((object as { id?: unknown }).id ?? 'indicator without id').slice(0, 80)}: ${fault}`);
  }
  const systems = systemsNamed(objects);
  for (const object of objects) {
    for (const entry of observableEntries(name, object, systems)) if (!spokenFor.has(keyOf(entry.value))) entries.push(entry);
  }
  return { entries, faults };
}

/** One spelling for a value, so that an observable finds its indicator. */
function keyOf(value: string): string {
  const parsed = parseIndicator(value);
  return parsed.kind === 'invalid' ? value : parsed.indicator.value;
}

function observableEntries(name: string, raw: unknown, systems: ReadonlyMap<unknown, string>): ListEntry[] {
  const parsed = Observable.safeParse(raw);
  if (!parsed.success || parsed.data.revoked === true) return [];
  const system = systems.get(raw);
  const values = system === undefined ? (valuesOfObservable(raw as Readonly<Record<string, unknown>>) ?? []) : [system];
  const texts = values.filter((value) => typeof value === 'string');
  if (texts.length === 0) return [];
  const { labels, confidence, first_observed: firstObserved, created, modified } = parsed.data;
  const verdict = verdictFor(name, labels ?? [], { confidence, firstSeen: firstObserved ?? created, lastSeen: modified });
  return texts.map((value) => ({ value, verdict, note: null }));
}

function objectsOf(body: string): readonly unknown[] | null {
  try {
    const json = JSON.parse(body) as { objects?: unknown } | unknown[];
    if (!Array.isArray(json)) return Array.isArray(json.objects) ? json.objects : null;
    const first = json.find((object) => typeof object === 'object' && object !== null) as { type?: unknown } | undefined;
    return json.length === 0 || typeof first?.type === 'string' ? json : null;
  } catch {
    return null;
  }
}

function entriesOf(name: string, indicator: z.output<typeof Indicator>, spokenFor: Set<string>): ReadEntries {
  if ((indicator.pattern_type ?? 'stix').toLowerCase() !== 'stix')
    return { entries: [], faults: [`pattern type ${indicator.pattern_type} cannot be read`] };
  const found = readPattern(indicator.pattern);
  if ('reason' in found) return { entries: [], faults: indicator.revoked === true ? [] : [found.reason] };
  for (const value of found.values) spokenFor.add(keyOf(value));
  if (indicator.revoked === true) return { entries: [], faults: [] };
  const kinds = [...(indicator.indicator_types ?? []), ...(indicator.labels ?? [])];
  const written = {
    createdBy: indicator.created_by_ref ?? null,
    labels: indicator.labels ?? [],
    description: indicator.description ?? null,
  };
  const own = isOwnObject(written) ? readOwnJudgement(written) : null;
  // We said that nobody knows: that is no reason to accuse.
  if (own !== null && (own.score === null || own.verdict === 'unknown')) return { entries: [], faults: [] };
  const { confidence, valid_from: firstSeen, modified: lastSeen } = indicator;
  const verdict = verdictFor(name, kinds, { confidence, firstSeen, lastSeen, own });
  return { entries: found.values.map((value) => ({ value, verdict, note: indicator.name ?? null })), faults: found.left };
}

/** What an object says besides its kinds; `own`: what we said of it, where we wrote it. */
interface Said {
  readonly confidence: number | undefined;
  readonly firstSeen: string | undefined;
  readonly lastSeen: string | undefined;
  readonly own?: OwnJudgement | null;
}

function verdictFor(name: string, kinds: readonly string[], { confidence, firstSeen, lastSeen, own = null }: Said): Verdict {
  const isBenign = kinds.includes('benign');
  return verdictOf('local', {
    verdict: own?.verdict ?? (isBenign ? 'clean' : 'malicious'),
    score: own?.score ?? (isBenign ? 0 : 90),
    confidence: confidence ?? null,
    categories: isBenign ? [] : kinds.filter((kind) => !isOwnTag(kind) && !(own ? OWN_KINDS : THREAT_KINDS).has(kind)),
    attributes: [`list:${name}`],
    firstSeen: isoTime(firstSeen),
    lastSeen: isoTime(lastSeen),
  });
}
