import { systemClock } from '../engine/clock.ts';
import type { Enricher } from '../engine/enricher.ts';
import { enrichLater } from '../events/enrich-later.ts';
import { createTextEnricher, type TextEnricher, type TextForm } from '../events/enrich-text.ts';
import { createWantedFields, DEFAULT_FIELDS } from '../events/wanted-fields.ts';
import { createVerdictMemory } from '../events/verdict-memory.ts';
import { describeFault } from '../events/json/describe-json-fault.ts';
import { CLOSE_ARRAY, COMMA, skipSpace } from '../events/json/json-bytes.ts';
import { BatchError } from './batch-error.ts';
import { countingEnricher } from './counting-enricher.ts';
import type { EnrichJob } from './enrich-job.ts';
import { jsonArrayBlocks } from './input/json-array-blocks.ts';
import { lineBlocks } from './input/line-blocks.ts';
import { beginsSpread, lineEndOf, peekInput } from './input/peek-input.ts';
import { valueBlocks } from './input/value-blocks.ts';

const BLOCK_BYTES = 1 << 20;
const BRACKETS = Buffer.from('[]');
const MAX_DEPTH = 128;
const FRONT_CACHE = 1 << 16;
const FRONT_CACHE_MS = 60_000;

/**
 * An event a line in, or one after another over several lines, the same out with the enrichment added. What is no event passes through as it is,
 * counted.
 */
export async function enrichNdjson(job: EnrichJob): Promise<void> {
  const started = startRun(job);
  let events = 0;
  const { head, all } = await peekInput(job.input, 1);
  const start = job.head === null ? head : (await peekInput(job.head(), 1)).head;
  const isSpread = !job.isLive && beginsSpread(start);
  const blocks = isSpread ? valueBlocks(all, BLOCK_BYTES) : lineBlocks(all, job.isLive ? 1 : BLOCK_BYTES, lineEndOf(start));
  for await (const block of blocks) {
    events += await enrichBlock(started, block, isSpread ? 'sequence' : 'ndjson');
    await job.done(block.length);
    job.progress.show(`${events} events`);
  }
  job.progress.end();
}

/** One event object or an array of them in, the same out with the enrichment added. An array goes through a part at a time. */
export async function enrichJson(job: EnrichJob): Promise<void> {
  const started = startRun(job);
  const isInside = job.head !== null;
  let state: 'before' | 'inside' | 'behind' = isInside ? 'inside' : 'before';
  let hasItems = isInside;
  let isBlank = false;
  let events = 0;
  let taken = 0;
  for await (const { kind, bytes } of jsonArrayBlocks(job.input, { blockBytes: BLOCK_BYTES, isInside })) {
    taken += bytes.length;
    if (kind === 'items') {
      isBlank = skipSpace(bytes, 0, bytes.length) === bytes.length;
      events += await enrichItems(started, bytes);
      job.progress.show(`${events} events`);
    } else if (kind === 'rest' && state === 'before') {
      state = 'behind';
      await enrichBlock(started, bytes, 'json');
    } else if (kind === 'rest') {
      if (state === 'inside' || skipSpace(bytes, 0, bytes.length) < bytes.length)
        throw new BatchError(
          state === 'inside' ? 'the input is not JSON: it ends within the array' : 'the input is not JSON: something follows it',
        );
      await job.write(bytes);
    } else {
      const isEnd = bytes[bytes.length - 1] === CLOSE_ARRAY;
      if (state === 'inside' && isBlank && (hasItems || !isEnd))
        throw new BatchError('the input is not JSON: an item is missing between commas');
      hasItems ||= state === 'inside';
      state = isEnd ? 'behind' : 'inside';
      await job.write(bytes);
      // Behind a comma a later run finds its way; anywhere else it would not know where it is.
      if (bytes[0] !== COMMA) continue;
      await job.done(taken);
      taken = 0;
    }
  }
  if (state === 'inside') throw new BatchError('the input is not JSON: it ends within the array');
  if (state === 'before') await enrichBlock(started, Buffer.alloc(0), 'json');
  job.progress.end();
}

/** Items of an array, enriched as an array of their own whose brackets are then left out. */
async function enrichItems(run: Run, items: Buffer): Promise<number> {
  const array = Buffer.concat([BRACKETS.subarray(0, 1), items, BRACKETS.subarray(1)]);
  return enrichBlock(run, array, 'json', 1);
}

/** `margin`: bytes at both ends that are not written. */
async function enrichBlock({ job, enricher, texts }: Run, text: Buffer, form: TextForm, margin = 0): Promise<number> {
  const { signal } = new AbortController();
  const late = { text, form, missing: new Set<string>(), dueMs: null, signal };
  let result = texts.enrich(text, form);
  if (result.kind === 'missing') result = await enrichLater({ enricher, texts, clock: systemClock }, { ...late, missing: result.values });
  if (result.kind === 'fault') throw new BatchError(`the input is not JSON: ${describeFault(text, result.offset, MAX_DEPTH)}`);
  if (result.kind !== 'enriched') throw new Error('a block without a bound is always enriched');
  await job.write(margin === 0 ? result.text : result.text.subarray(margin, -margin));
  await job.note?.(text, form === 'json' ? 'json' : 'ndjson');
  job.tally.events = (job.tally.events ?? 0) + result.events;
  if (result.invalidLines > 0) job.tally.unread = (job.tally.unread ?? 0) + result.invalidLines;
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
  const known = createVerdictMemory({
    enricher,
    clock: systemClock,
    fields,
    size: FRONT_CACHE,
    ttlMs: FRONT_CACHE_MS,
  });
  const rules = { fields, matchedType: 'indicator_match_rule' as const, writesPlaybook: false, detail: job.detail };
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
      allocate: createRoom(),
    }),
  };
}

/** Room for one block's text at a time: it is written before the next one is made. */
function createRoom(): (size: number) => Buffer {
  let room = Buffer.alloc(0);
  return (size) => {
    if (size > room.length) room = Buffer.allocUnsafeSlow(Math.ceil(size * 1.25));
    return room.subarray(0, size);
  };
}
