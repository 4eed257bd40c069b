import type { Enrichment } from '../model/enrichment.ts';
import type { Enricher, EnrichOptions } from './enricher.ts';
import { nextTurn } from './turns.ts';

/** Values that are asked for at once; what that costs before the first of them waits for anybody is a few milliseconds. */
const PORTION = 500;

/**
 * `enrichMany` for any number of values: asked for in portions, one in each turn, all of which wait together. `take`, where it is given, is
 * called as by the engine.
 */
export async function enrichInTurns(
  enricher: Pick<Enricher, 'enrichMany'>,
  values: ReadonlySet<string>,
  options: EnrichOptions = {},
): Promise<Map<string, Enrichment>> {
  if (values.size <= PORTION) return await enricher.enrichMany(values, options);
  const startMs = performance.now();
  const asked: Promise<Map<string, Enrichment> | { readonly error: unknown }>[] = [];
  for (const portion of portionsOf(values)) {
    if (asked.length > 0) await nextTurn();
    if (options.signal?.aborted === true) break;
    asked.push(enricher.enrichMany(portion, { ...options, ...remaining(options, startMs) }).catch((error: unknown) => ({ error })));
  }
  const found = new Map<string, Enrichment>();
  for (const part of await Promise.all(asked)) {
    if (!(part instanceof Map)) throw part.error;
    if (found.size > 0) await nextTurn();
    for (const [value, enrichment] of part) found.set(value, enrichment);
  }
  options.signal?.throwIfAborted();
  return found;
}

function remaining({ timeoutMs }: EnrichOptions, startMs: number): Pick<EnrichOptions, 'timeoutMs'> {
  if (timeoutMs === undefined) return {};
  return { timeoutMs: timeoutMs === 0 ? 0 : Math.max(1, Math.ceil(timeoutMs - (performance.now() - startMs))) };
}

function* portionsOf(values: ReadonlySet<string>): Generator<string[]> {
  let portion: string[] = [];
  for (const value of values) {
    portion.push(value);
    if (portion.length < PORTION) continue;
    yield portion;
    portion = [];
  }
  if (portion.length > 0) yield portion;
}
