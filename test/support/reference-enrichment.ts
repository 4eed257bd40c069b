import { createHash } from 'node:crypto';
import { DEFAULT_FIELDS } from '../../src/events/wanted-fields.ts';
import { relatedListOf } from '../../src/mapping/ecs-indicator.ts';
import { type EcsDetail, FAILURE_TAG, toRollUp } from '../../src/mapping/ecs-roll-up.ts';
import { toThreatEnrichment } from '../../src/mapping/ecs.ts';
import { placeOf } from '../../src/model/worst-answer.ts';
import { type Enrichment, isFailure } from '../../src/model/enrichment.ts';

type Event = Record<string, unknown>;

/** Fields that hold other things too: a value that is no indicator is passed over there. */
const LOOSE = new Set(['url.original', 'dns.question.name', 'dns.answers.data']);

/** The plainest thing that can be called enriching an event: parse, look up, add. An oracle for tests; no promise about bytes. */
export function enrichByReference(event: Event, lookUp: (value: string) => Enrichment, now: string, detail: EcsDetail = 'full'): Event {
  const found = DEFAULT_FIELDS.flatMap((field) => valuesAt(event, field).map((value) => ({ field, enrichment: lookUp(value) }))).filter(
    ({ field, enrichment }) => !(LOOSE.has(field) && enrichment.answer.status === 'invalid'),
  );
  if (found.length === 0) return event;
  const [worst] = found.toSorted((a, b) => placeOf(a.enrichment.answer) - placeOf(b.enrichment.answer));
  const entries = found.flatMap(({ field, enrichment }) => {
    const entry = toThreatEnrichment(enrichment, { field, occurred: now, type: 'indicator_match_rule', digest });
    return entry === null ? [] : [entry];
  });
  const unique = [...new Map(entries.map((entry) => [entry.matched.id, entry])).values()];
  const threat = (event.threat ?? {}) as Event;
  const before = threat.enrichments === undefined ? [] : [threat.enrichments].flat();
  const hasFailure = found.some(({ enrichment }) => isFailure(enrichment.answer.status));
  return {
    ...event,
    ...(unique.length > 0 && {
      threat: { ...threat, enrichments: [...before, ...unique] },
      related: relatedWith(
        event,
        found.map(({ enrichment }) => enrichment),
      ),
    }),
    ...(worst && { ismalicious: toRollUp(worst.enrichment, worst.field, { canResolve: true, detail }) }),
    ...(hasFailure && { tags: [...[event.tags ?? []].flat(), FAILURE_TAG] }),
  };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Values of a dotted name, however it is spelled: nested, dotted, in lists, in lists of objects. */
export function valuesAt(event: unknown, field: string): string[] {
  if (Array.isArray(event)) return event.flatMap((one) => valuesAt(one, field));
  if (typeof event !== 'object' || event === null) return [];
  const members = event as Event;
  const direct = [members[field] ?? []].flat(3).filter((value): value is string => typeof value === 'string' && value !== '');
  const names = field.split('.');
  const below = names.slice(1).flatMap((_, n) => valuesAt(members[names.slice(0, n + 1).join('.')], names.slice(n + 1).join('.')));
  return [...direct, ...below];
}

function relatedWith(event: Event, enrichments: readonly Enrichment[]): Event {
  const related: Record<string, unknown> = { ...(event.related as Event | undefined) };
  for (const { indicator } of enrichments) {
    const list = indicator === null ? null : relatedListOf(indicator);
    if (list !== null && indicator !== null) related[list] = [...new Set([...((related[list] as string[]) ?? []), indicator.value])];
  }
  return related;
}
