import { createInterface } from 'node:readline';
import { toEnrichmentJson } from '../../mapping/enrichment-json.ts';
import type { Enrichment } from '../../model/enrichment.ts';
import type { EnrichJob } from './enrich-job.ts';
import { tallyUp } from './outcome-code.ts';

/** Values asked for together: bounds the memory and keeps bulk calls full. */
const BATCH = 1000;

async function eachEnrichment(job: EnrichJob, take: (enrichment: Enrichment) => Promise<void>): Promise<void> {
  let batch: string[] = [];
  let done = 0;
  const flush = async () => {
    const found = await job.engine.enrichMany(batch, job.asked);
    for (const value of batch) {
      const enrichment = found.get(value);
      if (!enrichment) continue;
      tallyUp(job.tally, enrichment);
      await take(enrichment);
    }
    done += batch.length;
    job.progress.show(`${done} values`);
    batch = [];
  };
  for await (const line of createInterface({ input: job.input, crlfDelay: Infinity })) {
    if (line.trim() === '') continue;
    batch.push(line);
    if (batch.length >= BATCH) await flush();
  }
  if (batch.length > 0) await flush();
  job.progress.end();
}

/** A value a line in, one JSON object of the contract a line out, same order. */
export function enrichList(job: EnrichJob): Promise<void> {
  return eachEnrichment(job, (enrichment) => job.write(`${JSON.stringify(toEnrichmentJson(enrichment))}\n`));
}

/** A value a line in, the JSON array of the vendor playbook's batch script out: `{entity, malicious, score, categories, confidence}` or `{entity, error}`. */
export async function enrichPlaybook(job: EnrichJob): Promise<void> {
  let separator = '[\n  ';
  await eachEnrichment(job, async (enrichment) => {
    await job.write(`${separator}${JSON.stringify(toPlaybookRow(enrichment))}`);
    separator = ',\n  ';
  });
  await job.write(separator === '[\n  ' ? '[]\n' : '\n]\n');
}

/** Unknown has `malicious: null`: the script's own `false` would read as clean. */
function toPlaybookRow({ input, answer }: Enrichment): object {
  if (answer.status !== 'ok' && answer.status !== 'stale' && answer.status !== 'partial' && answer.status !== 'pending') {
    return { entity: input, error: `${answer.status}: ${answer.message ?? 'no answer'}` };
  }
  const malicious = answer.verdict === 'unknown' ? null : answer.verdict === 'malicious';
  return { entity: input, malicious, score: answer.score, categories: answer.categories, confidence: answer.confidence };
}
