import type { Clock } from '../engine/clock.ts';
import type { Enricher } from '../engine/enricher.ts';
import { FAILURE_TAG } from '../mapping/ecs-roll-up.ts';
import { enrichLater } from '../events/enrich-later.ts';
import { createTextEnricher } from '../events/enrich-text.ts';
import { DEFAULT_FIELDS, createWantedFields } from '../events/wanted-fields.ts';
import { createVerdictMemory } from '../events/verdict-memory.ts';
import { MAX_VALUE_BYTES } from '../model/parsing/longest-value.ts';

const MAX_DEPTH = 128;
const FRONT_CACHE = 1 << 14;
const FRONT_CACHE_MS = 60_000;

/** Spooled events, a line each: those that are answered now, enriched, and those that are not, as they were. */
export interface ReplayedLines {
  readonly enriched: readonly string[];
  readonly kept: readonly string[];
}

/** Looks spooled events up again. Everything else in them stays byte for byte. */
export function createReplayer(enricher: Enricher, clock: Clock): { replay(lines: readonly string[]): Promise<ReplayedLines> } {
  const known = createVerdictMemory({ enricher, clock, size: FRONT_CACHE, ttlMs: FRONT_CACHE_MS, maxValueBytes: MAX_VALUE_BYTES });
  const rules = { fields: DEFAULT_FIELDS, matchedType: 'indicator_match_rule', writesPlaybook: false } as const;
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
    async replay(lines) {
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
        if (hasFailed(after, result.invalidLines > 0)) kept.push(line);
        else enriched.push(after);
      }
      return { enriched, kept };
    },
  };
}

/** A line that is no JSON was not looked up either. `mayBeBroken`: there is such a line among those of this text. */
function hasFailed(line: string, mayBeBroken: boolean): boolean {
  if (!mayBeBroken && !line.includes(FAILURE_TAG) && line.trimStart().startsWith('{')) return false;
  try {
    const { tags } = JSON.parse(line) as { readonly tags?: unknown };
    return [tags].flat().includes(FAILURE_TAG);
  } catch {
    return true;
  }
}
