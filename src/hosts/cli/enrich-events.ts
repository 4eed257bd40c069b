import { systemClock } from '../../engine/clock.ts';
import type { Enricher } from '../../engine/enricher.ts';
import { enrichLater } from '../sidecar/enrich/enrich-later.ts';
import { createTextEnricher, type TextEnricher, type TextForm } from '../sidecar/enrich/enrich-text.ts';
import { createWantedFields, DEFAULT_FIELDS } from '../sidecar/enrich/fields.ts';
import { createKnownValues } from '../sidecar/enrich/known-values.ts';
import { describeFault } from '../sidecar/json/describe-fault.ts';
import { UsageError } from './command.ts';
import { countingEnricher } from './counting-enricher.ts';
import type { EnrichJob } from './enrich-job.ts';

const BLOCK_BYTES = 1 << 20;
const MAX_ARRAY_BYTES = 1 << 29;
const MAX_DEPTH = 128;
const MAX_VALUE_BYTES = 2048;
const FRONT_CACHE = 1 << 16;
const FRONT_CACHE_MS = 60_000;
const LF = 0x0a;

/** An event a line in, the same lines out with the enrichment added; a line that is no JSON object passes through as it is. */
export async function enrichNdjson(job: EnrichJob): Promise<void> {
  const started = startRun(job);
  let events = 0;
  let rest = Buffer.alloc(0);
  for await (const part of job.input) {
    rest = rest.length === 0 ? Buffer.from(part) : Buffer.concat([rest, Buffer.from(part)]);
    const end = rest.length < BLOCK_BYTES ? -1 : rest.lastIndexOf(LF);
    if (end < 0) continue;
    events += await enrichBlock(started, rest.subarray(0, end + 1), 'ndjson');
    rest = Buffer.from(rest.subarray(end + 1));
    job.progress.show(`${events} events`);
  }
  if (rest.length > 0) await enrichBlock(started, rest, 'ndjson');
  job.progress.end();
}

/** One event object or an array of them in, the same out with the enrichment added. */
export async function enrichJson(job: EnrichJob): Promise<void> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of job.input) {
    parts.push(Buffer.from(part));
    size += Buffer.byteLength(part);
    if (size > MAX_ARRAY_BYTES)
      throw new UsageError(`a JSON array of more than ${MAX_ARRAY_BYTES} bytes: write an event a line and use --format ndjson`);
  }
  await enrichBlock(startRun(job), Buffer.concat(parts, size), 'json');
  job.progress.end();
}

async function enrichBlock({ job, enricher, texts }: Run, text: Buffer, form: TextForm): Promise<number> {
  const { signal } = new AbortController();
  const late = { text, form, missing: new Set<string>(), dueMs: null, signal };
  let result = texts.enrich(text, form);
  if (result.kind === 'missing') result = await enrichLater({ enricher, texts, clock: systemClock }, { ...late, missing: result.values });
  if (result.kind === 'fault') throw new UsageError(`the input is no JSON: ${describeFault(text, result.offset, MAX_DEPTH)}`);
  if (result.kind !== 'enriched') throw new Error('a block without a bound is always enriched');
  await job.write(result.text);
  await job.note?.(text, form);
  return result.events;
}

interface Run {
  readonly job: EnrichJob;
  readonly enricher: Enricher;
  readonly texts: TextEnricher;
}

function startRun(job: EnrichJob): Run {
  const enricher = countingEnricher(job);
  const fields = job.fields.length > 0 ? job.fields : DEFAULT_FIELDS;
  const known = createKnownValues({
    enricher,
    clock: systemClock,
    size: FRONT_CACHE,
    ttlMs: FRONT_CACHE_MS,
    maxValueBytes: MAX_VALUE_BYTES,
  });
  const rules = { fields, matchedType: 'indicator_match_rule' as const, writesPlaybook: false };
  const bounds = { maxDepth: MAX_DEPTH, maxEvents: Number.MAX_SAFE_INTEGER };
  return {
    job,
    enricher,
    texts: createTextEnricher({
      wanted: createWantedFields(fields),
      known,
      rules,
      ...bounds,
      clock: systemClock,
      allocate: (size) => Buffer.allocUnsafe(size),
    }),
  };
}
