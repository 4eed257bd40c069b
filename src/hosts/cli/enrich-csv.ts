import { UsageError } from './command.ts';
import type { EnrichJob } from './enrich-job.ts';

/** Rows in, the same rows out with `im_*` columns. */
export function enrichCsv(_job: EnrichJob): Promise<void> {
  return Promise.reject(new UsageError('CSV is not wired yet'));
}
