import * as z from 'zod/mini';
import { isoTime } from '../model/formats/iso-time.ts';
import { readPattern } from '../model/formats/stix-pattern.ts';
import type { ListEntry, ParsedList } from './list-entry.ts';
import { verdictOf } from './verdict-facts.ts';

const MAX_FAULTS = 20;

const Indicator = z.object({
  type: z.literal('indicator'),
  id: z.string(),
  pattern: z.string(),
  pattern_type: z.optional(z.string()),
  confidence: z.optional(z.number().check(z.gte(0), z.lte(100))),
  labels: z.optional(z.array(z.string())),
  indicator_types: z.optional(z.array(z.string())),
  name: z.optional(z.string()),
  valid_from: z.optional(z.string()),
  valid_until: z.optional(z.string()),
  modified: z.optional(z.string()),
  revoked: z.optional(z.boolean()),
});

/** Indicators of a STIX 2.1 bundle whose pattern is a list of alternatives (see `readPattern`); others are told as faults. Revoked ones are left out. */
export function readStixBundle(name: string, text: string): ParsedList {
  const faults: string[] = [];
  const entries: ListEntry[] = [];
  const objects = objectsOf(text);
  if (objects === null) return { entries, faults: [`${name}: is no JSON with STIX objects`] };
  for (const object of objects) {
    if ((object as { type?: unknown } | null)?.type !== 'indicator') continue;
    const parsed = Indicator.safeParse(object);
    const found = parsed.success ? entriesOf(name, parsed.data) : 'is no STIX 2.1 indicator';
    if (typeof found !== 'string') entries.push(...found);
    else if (faults.length < MAX_FAULTS)
      faults.push(`${name}, ${String((object as { id?: unknown }).id ?? 'indicator without id').slice(0, 80)}: ${found}`);
  }
  return { entries, faults };
}

function objectsOf(text: string): readonly unknown[] | null {
  try {
    const json = JSON.parse(text) as { objects?: unknown } | unknown[];
    const objects = Array.isArray(json) ? json : json.objects;
    return Array.isArray(objects) ? objects : null;
  } catch {
    return null;
  }
}

function entriesOf(name: string, indicator: z.output<typeof Indicator>): readonly ListEntry[] | string {
  if (indicator.revoked === true) return [];
  if ((indicator.pattern_type ?? 'stix') !== 'stix') return `pattern type ${indicator.pattern_type} cannot be read`;
  const found = readPattern(indicator.pattern);
  if ('reason' in found) return found.reason;
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
  return found.values.map((value) => ({ value, verdict, note: indicator.name ?? null }));
}
