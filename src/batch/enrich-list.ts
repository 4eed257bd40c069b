import { toEnrichmentJson } from '../mapping/enrichment-json.ts';
import type { Enrichment } from '../model/enrichment.ts';
import type { EnrichJob } from './enrich-job.ts';
import { lineBatches } from './input/line-batches.ts';
import { countOutcome } from './run-counts.ts';
import { lineEndOf, peekInput } from './input/peek-input.ts';

/** Values asked for together: bounds the memory and keeps bulk calls full. */
const BATCH = 1000;
const FIRST = '[\n  ';
const NEXT = ',\n  ';

async function eachEnrichment(job: EnrichJob, take: (enrichment: Enrichment) => Promise<void>): Promise<void> {
  let count = 0;
  const { all, head } = await peekInput(job.input, 1);
  for await (const { lines, bytes } of lineBatches(all, BATCH, lineEndOf(head))) {
    const found = await job.engine.enrichMany(lines, job.asked);
    for (const value of lines) {
      const enrichment = found.get(value);
      if (!enrichment) continue;
      countOutcome(job.tally, enrichment);
      await take(enrichment);
    }
    await job.done(bytes);
    count += lines.length;
    job.progress.show(`${count} values`);
  }
  job.progress.end();
}

/** A value a line in, one JSON object of the contract a line out, same order. */
export function enrichList(job: EnrichJob): Promise<void> {
  return eachEnrichment(job, (enrichment) => job.write(`${JSON.stringify(toEnrichmentJson(enrichment))}\n`));
}

/** A value a line in, the JSON array of the vendor playbook's batch script out: `{entity, malicious, score, categories, confidence}` or `{entity, error}`. */
export async function enrichPlaybook(job: EnrichJob): Promise<void> {
  let separator = job.hasOutput ? NEXT : FIRST;
  await eachEnrichment(job, async (enrichment) => {
    await job.write(`${separator}${JSON.stringify(toPlaybookRow(enrichment))}`);
    separator = NEXT;
  });
  await job.write(separator === FIRST ? '[]\n' : '\n]\n');
}

/** Unknown has `malicious: null`: the script's own `false` would read as clean. */
function toPlaybookRow({ input, answer }: Enrichment): object {
  if (answer.status !== 'ok' && answer.status !== 'stale' && answer.status !== 'partial' && answer.status !== 'pending') {
    return { entity: input, error: `${answer.status}: ${answer.message ?? 'no answer'}` };
  }
  const malicious = answer.verdict === 'unknown' ? null : answer.verdict === 'malicious';
  return { entity: input, malicious, score: answer.score, categories: answer.categories, confidence: answer.confidence };
}
