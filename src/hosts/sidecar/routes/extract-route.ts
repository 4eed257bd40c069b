import type { FastifyInstance } from 'fastify';
import type { Extraction } from '../../../extract/extract-indicators.ts';
import type { Extracted } from '../../../extract/extracted.ts';
import { EXTRACT_BODY } from '../openapi/api-schemas.ts';
import { nextTurn, SLICE_MS } from '../../../engine/turns.ts';
import type { Metrics } from '../metrics.ts';
import type { SidecarSettings } from '../../../compose/sidecar-settings.ts';

/** What the route works with. */
export interface ExtractRouteOptions {
  /** Begins to read a text; loaded with the first call, since it brings the public suffix list. */
  readonly begin: () => Promise<(text: string) => Extraction>;
  readonly settings: Pick<SidecarSettings, 'maxBodyBytes' | 'maxExtracted'>;
  readonly metrics: Pick<Metrics, 'add'>;
}

interface ExtractBody {
  readonly text: string;
  readonly unique?: boolean;
}

/** Characters read before the clock is looked at: at most some milliseconds' work, also where everything is an indicator. */
const STEP = 4096;

/** `POST /v1/extract`: a text in, the indicators in it out, with their place. Nothing is looked up. */
export function addExtractRoute(app: FastifyInstance, { begin, settings, metrics }: ExtractRouteOptions): void {
  const options = { schema: { body: EXTRACT_BODY }, bodyLimit: settings.maxBodyBytes };
  app.post<{ Body: ExtractBody }>('/v1/extract', options, async ({ body: { text, unique } }, reply) => {
    const extraction = (await begin())(text);
    const found = await readInSlices(extraction, text.length, {
      isUnique: unique === true,
      max: settings.maxExtracted,
      isOver: () => reply.raw.destroyed,
    });
    const indicators = found.map(({ type, value, original, offset }) => ({ type, value, original, offset }));
    if (extraction.at >= text.length) return { indicators };
    metrics.add('extract_truncated', 1);
    return { indicators, truncated: true, read_until: extraction.at };
  });
}

interface Reading {
  readonly isUnique: boolean;
  /** Reading ends once so many were found. */
  readonly max: number;
  /** Whether nobody waits for the answer any more. */
  readonly isOver: () => boolean;
}

async function readInSlices(extraction: Extraction, length: number, { isUnique, max, isOver }: Reading): Promise<Extracted[]> {
  const found: Extracted[] = [];
  const seen = new Set<string>();
  let sinceMs = performance.now();
  while (extraction.at < length && found.length < max && !isOver()) {
    for (const one of extraction.readUntil(extraction.at + STEP)) {
      const key = isUnique ? `${one.type} ${one.value}` : '';
      if (isUnique && seen.has(key)) continue;
      if (isUnique) seen.add(key);
      found.push(one);
    }
    if (performance.now() - sinceMs < SLICE_MS) continue;
    await nextTurn();
    sinceMs = performance.now();
  }
  return found;
}
