import { RowEnricher } from '../rows/row-enricher.ts';
import { readHeader } from '../rows/csv-cells.ts';
import { RowWriter } from '../rows/row-writer.ts';
import { SearchNotes } from '../rows/search-notes.ts';
import { countingEnricher } from './counting-enricher.ts';
import { BatchError } from './batch-error.ts';
import { createCsvBlocks, readCsvHeader } from './csv-blocks.ts';
import type { EnrichJob } from './enrich-job.ts';
import { guardFormula } from '../model/formats/formula-guard.ts';

/** Rows of about this many bytes are enriched together. */
const BLOCK_BYTES = 4 << 20;

/** Rows in, the same rows out with `im_*` columns: every other byte stays, the splice is the search command's. */
export async function enrichCsv(job: EnrichJob): Promise<void> {
  const { asked, fields } = job;
  const startS = Math.floor(Date.now() / 1000);
  const notes = new SearchNotes();
  const options = {
    fields,
    prefix: 'im_',
    providers: null,
    mode: asked.mode ?? 'enrich',
    timeoutMs: asked.timeoutMs ?? 0,
    maxAgeS: null,
    details: false,
    only: null,
    budget: null,
    // Cells of the file stay as they are; ours hold words of others, and the file may be opened in a spreadsheet.
    guard: guardFormula,
  } as const;
  const enricher = countingEnricher(job);
  const chunks = new RowEnricher(options, notes, startS);
  const parts: Buffer[] = [];
  const writer = new RowWriter({ write: (bytes) => void parts.push(Buffer.from(bytes)) });
  let rows = 0;
  const header = job.head === null ? null : await readCsvHeader(job.head());
  let isFirst = header === null;
  for await (const { bytes, headerLine, inputBytes } of createCsvBlocks(job.input, BLOCK_BYTES, header)) {
    const block = { bytes, bodyFrom: 0, bodyEnd: bytes.length - 1 };
    if (isFirst) assertFields(bytes, fields);
    const context = {
      open: () => Promise.resolve(enricher),
      nowS: startS,
      wait: <T>(work: (signal: AbortSignal) => Promise<T>) => work(new AbortController().signal),
    };
    const reply = await chunks.enrich(block, context);
    if (!reply) {
      await job.done(inputBytes);
      continue;
    }
    await job.note?.(bytes, 'csv');
    writer.writeTable(reply, isFirst, headerLine);
    for (const part of parts.splice(0)) await job.write(part);
    isFirst = false;
    await job.done(inputBytes);
    rows += reply.rows.count;
    job.progress.show(`${rows} rows`);
  }
  job.progress.end();
}

function assertFields(bytes: Buffer, fields: readonly string[]): void {
  const names = readHeader(bytes, 0, bytes.length - 1).cells.map(({ name }) => name);
  const missing = fields.filter((field) => !names.includes(field));
  if (missing.length > 0) throw new BatchError(`no column ${missing.join(', ')}; the columns are ${names.join(', ')}`);
}
