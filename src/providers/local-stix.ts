import * as z from 'zod/mini';
import { isoTime } from '../model/formats/iso-time.ts';
import { readPattern } from '../model/formats/stix-pattern.ts';
import type { ListEntry, ParsedList } from './list-entry.ts';
import { verdictOf } from './verdict-facts.ts';

const MAX_FAULTS = 20;

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
  valid_from: text,
  valid_until: text,
  modified: text,
  revoked: z.union([z.boolean(), notSaid]),
});

/** Indicators of a STIX 2.1 bundle whose pattern names values (see `readPattern`); what else it wants is told as faults. Revoked ones are left out. */
export function readStixBundle(name: string, body: string): ParsedList {
  const faults: string[] = [];
  const entries: ListEntry[] = [];
  const objects = objectsOf(body);
  if (objects === null) return { entries, faults: [`${name}: is no JSON with STIX objects`] };
  for (const object of objects) {
    if ((object as { type?: unknown } | null)?.type !== 'indicator') continue;
    const parsed = Indicator.safeParse(object);
    const found = parsed.success ? entriesOf(name, parsed.data) : { entries: [], faults: ['is no STIX 2.1 indicator'] };
    for (const entry of found.entries) entries.push(entry);
    for (const fault of found.faults.slice(0, MAX_FAULTS - faults.length))
      faults.push(`${name}, ${String((object as { id?: unknown }).id ?? 'indicator without id').slice(0, 80)}: ${fault}`);
  }
  return { entries, faults };
}

function objectsOf(body: string): readonly unknown[] | null {
  try {
    const json = JSON.parse(body) as { objects?: unknown } | unknown[];
    const objects = Array.isArray(json) ? json : json.objects;
    return Array.isArray(objects) ? objects : null;
  } catch {
    return null;
  }
}

function entriesOf(name: string, indicator: z.output<typeof Indicator>): ParsedList {
  if (indicator.revoked === true) return { entries: [], faults: [] };
  if ((indicator.pattern_type ?? 'stix').toLowerCase() !== 'stix')
    return { entries: [], faults: [`pattern type ${indicator.pattern_type} cannot be read`] };
  const found = readPattern(indicator.pattern);
  if ('reason' in found) return { entries: [], faults: [found.reason] };
  const kinds = [...(indicator.indicator_types ?? []), ...(indicator.labels ?? [])];
  const isBenign = kinds.includes('benign');
  const verdict = verdictOf('local', {
    verdict: isBenign ? 'clean' : 'malicious',
    score: isBenign ? 0 : 90,
    confidence: indicator.confidence ?? null,
    categories: isBenign ? [] : kinds.filter((kind) => kind !== 'malicious-activity'),
    attributes: [`list:${name}`],
    firstSeen: isoTime(indicator.valid_from),
    lastSeen: isoTime(indicator.modified),
  });
  return { entries: found.values.map((value) => ({ value, verdict, note: indicator.name ?? null })), faults: found.left };
}
