import type { Clock } from '../engine/clock.ts';
import type { Enricher } from '../engine/enricher.ts';
import { type Enrichment, isFailure } from '../model/enrichment.ts';
import { type EcsDetail, FAILURE_TAG } from '../mapping/ecs-roll-up.ts';
import { enrichLater } from '../events/enrich-later.ts';
import { valueOf } from '../model/question.ts';
import { createTextEnricher } from '../events/enrich-text.ts';
import { DEFAULT_FIELDS, createWantedFields } from '../events/wanted-fields.ts';
import { createVerdictMemory } from '../events/verdict-memory.ts';

const MAX_DEPTH = 128;
const FRONT_CACHE = 1 << 14;
const FRONT_CACHE_MS = 60_000;

/** Spooled events, a line each: as they are answered now, those that another run may get answered, and what is no event at all. */
export interface ReplayedLines {
  /** Also those of which a value is no indicator and never will be: tagged, as everywhere else. */
  readonly enriched: readonly string[];
  readonly kept: readonly string[];
  readonly unreadable: readonly string[];
}

/** Looks spooled events up again. */
export interface Replayer {
  replay(lines: readonly string[]): Promise<ReplayedLines>;
}

/** A replayer. Everything else in them stays byte for byte. */
export function createReplayer(given: Enricher, clock: Clock, detail?: EcsDetail): Replayer {
  const { enricher, hasFailedIn } = rememberingFailures(given);
  const known = createVerdictMemory({ enricher, clock, fields: DEFAULT_FIELDS, size: FRONT_CACHE, ttlMs: FRONT_CACHE_MS });
  const rules = { fields: DEFAULT_FIELDS, matchedType: 'indicator_match_rule', writesPlaybook: false, ...(detail && { detail }) } as const;
  const bounds = { maxDepth: MAX_DEPTH, maxEvents: Number.MAX_SAFE_INTEGER };
  const texts = createTextEnricher({
    wanted: createWantedFields(DEFAULT_FIELDS),
    known,
    rules,
    ...bounds,
    clock,
    allocate: (size) => Buffer.allocUnsafe(size),
  });
  const { signal } = new AbortController();
  return {
    async replay(all) {
      const lines = all.filter(isObject);
      const unreadable = all.filter((line) => !isObject(line));
      if (lines.length === 0) return { enriched: [], kept: [], unreadable };
      const text = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      let result = texts.enrich(text, 'ndjson');
      if (result.kind === 'missing') {
        result = await enrichLater({ enricher, texts, clock }, { text, form: 'ndjson', missing: result.values, dueMs: null, signal });
      }
      if (result.kind !== 'enriched') throw new Error('lines without a bound are always enriched');
      const out = result.text.toString('utf8').split('\n');
      const enriched: string[] = [];
      const kept: string[] = [];
      for (const [n, line] of lines.entries()) {
        const after = out[n] ?? line;
        if (isTagged(after) && hasFailedIn(line)) kept.push(line);
        else enriched.push(after);
      }
      return { enriched, kept, unreadable };
    },
  };
}

/** An enricher that remembers which values had no answer, but may have one another time. */
function rememberingFailures(given: Enricher): { readonly enricher: Enricher; hasFailedIn(line: string): boolean } {
  const failed = new Set<string>();
  const note = (value: string, { answer }: Enrichment) => {
    if (isFailure(answer.status) && answer.status !== 'invalid') failed.add(value);
    else failed.delete(value);
  };
  const enricher: Enricher = {
    ...given,
    peek(value) {
      const enrichment = given.peek(value);
      if (enrichment !== undefined) note(value, enrichment);
      return enrichment;
    },
    async enrichMany(values, options) {
      const take = options?.take;
      const found = await given.enrichMany(values, {
        ...options,
        ...(take !== undefined && {
          take: (value: string, enrichment: Enrichment) => {
            note(value, enrichment);
            take(value, enrichment);
          },
        }),
      });
      for (const [value, enrichment] of found) note(value, enrichment);
      return found;
    },
    plan: (values, options) => given.plan(values, options),
    close: () => given.close(),
  };
  // A value stands in its line as it is, or as JSON spells it: escaped otherwise (rare), the event is kept rather than given up.
  const standsIn = (line: string, value: string) => line.includes(value) || line.includes(JSON.stringify(value).slice(1, -1));
  const stands = (line: string) => [...failed].some((question) => standsIn(line, valueOf(question)));
  return { enricher, hasFailedIn: (line) => failed.size > 0 && (line.includes('\\') || stands(line)) };
}

function isObject(line: string): boolean {
  try {
    const value = JSON.parse(line) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function isTagged(line: string): boolean {
  if (!line.includes(FAILURE_TAG)) return false;
  const { tags } = JSON.parse(line) as { readonly tags?: unknown };
  return [tags].flat().includes(FAILURE_TAG);
}
