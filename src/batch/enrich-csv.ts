import { RowEnricher } from '../rows/row-enricher.ts';
import { COMMA } from '../rows/csv-cells.ts';
import type { ReplyRows } from '../rows/row-writer.ts';
import { RowWriter } from '../rows/row-writer.ts';
import { SearchNotes } from '../rows/search-notes.ts';
import { countingEnricher } from './counting-enricher.ts';
import { BatchError } from './batch-error.ts';
import { blockOf, createCsvBlocks, holdsRow, type CsvBlock } from './input/csv-blocks.ts';
import { readCsvStart, type CsvStart } from './input/csv-start.ts';
import type { EnrichJob } from './enrich-job.ts';
import { behind, lineEndOf, peekInput, type PeekedInput } from './input/peek-input.ts';
import { guardFormula } from '../model/formats/formula-guard.ts';

/** Rows of about this many bytes are enriched together. */
const BLOCK_BYTES = 1 << 20;
/** So much of a table tells how it is written, and how long its rows get. */
const HEAD_BYTES = 1 << 20;
const LF = 0x0a;
const CR = 0x0d;

/** Rows in, the same rows out with `im_*` columns: every other byte stays, the splice is the search command's. */
export async function enrichCsv(job: EnrichJob): Promise<void> {
  const table = await openTable(job);
  if (table === null) return;
  const { start, isFirst, rows } = table;
  if (job.note !== undefined && start.delimiter !== COMMA) throw new BatchError('--store reads CSV with commas only');
  const write = table.hasReturns ? (bytes: Buffer) => job.write(withLineEndsSwapped(bytes)) : job.write;
  const enrichBlock = createBlockEnricher(job, start.delimiter);
  let mayBegin = isFirst;
  let count = 0;
  let longRows = 0;
  const put = async ({ bytes, headerLine, inputBytes }: CsvBlock) => {
    if (mayBegin && start.preamble.length > 0) await write(start.preamble);
    const { reply, parts } = await enrichBlock(bytes, mayBegin, headerLine);
    await job.note?.(bytes, 'csv');
    for (const part of parts) await write(part);
    await job.done(inputBytes + (mayBegin ? start.rowsFrom : 0));
    mayBegin = false;
    count += reply.rows.count;
    longRows += rowsBeyondHeader(reply);
    job.progress.show(`${count} rows`);
  };
  for await (const block of createCsvBlocks(rows, BLOCK_BYTES, start.header)) await put(block);
  if (mayBegin) await put(blockOf(start.header, Buffer.alloc(0)));
  job.progress.end();
  if (longRows > 0) job.warn(`${longRows} rows have more cells than the header: the further ones stand at the end of their rows`);
}

interface Table {
  readonly start: CsvStart;
  /** Whether the output begins here, with the header. */
  readonly isFirst: boolean;
  /** The input from its first row on, or from where an earlier run stopped. */
  readonly rows: AsyncIterable<Uint8Array>;
  /** Lines end in CR alone: in here each CR is a LF, and each LF a CR. */
  readonly hasReturns: boolean;
}

/** `null`: the input is empty. */
async function openTable({ input, head: again, fields, delimiter }: EnrichJob): Promise<Table | null> {
  const peeked = await peekRows(again === null ? input : again());
  if (peeked.head.length === 0) return null;
  const hasReturns = lineEndOf(peeked.head) === CR;
  const start = readCsvStart(hasReturns ? withLineEndsSwapped(peeked.head) : peeked.head, { fields, delimiter });
  const rows = again === null ? behind(peeked.all, start.rowsFrom) : input;
  return { start, isFirst: again === null, rows: hasReturns ? swapped(rows) : rows, hasReturns };
}

/** The first rows of a table; a header may be longer than all that is read at once. */
async function peekRows(input: AsyncIterable<Uint8Array>): Promise<PeekedInput> {
  for (let peeked = await peekInput(input, HEAD_BYTES), size = HEAD_BYTES; ; size *= 2) {
    if (peeked.head.length < size || holdsRow(peeked.head)) return peeked;
    peeked = await peekInput(peeked.all, size * 2);
  }
}

async function* swapped(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const part of input) yield withLineEndsSwapped(part);
}

function withLineEndsSwapped(bytes: Uint8Array): Buffer {
  const other = Buffer.from(bytes);
  for (let at = 0; at < other.length; at++) {
    if (other[at] === CR) other[at] = LF;
    else if (other[at] === LF) other[at] = CR;
  }
  return other;
}

/** Enriches one block after the other; gives the bytes of its rows, behind the header for the first one. */
function createBlockEnricher(job: EnrichJob, delimiter: number) {
  const { asked, fields } = job;
  const startS = Math.floor(Date.now() / 1000);
  const options = {
    fields,
    prefix: 'im_',
    providers: null,
    mode: asked.mode ?? 'enrich',
    timeoutMs: asked.timeoutMs ?? 0,
    maxAgeS: null,
    details: false,
    trace: job.traces === true,
    only: null,
    budget: null,
    delimiter,
    // Cells of the file stay as they are; ours hold words of others, and the file may be opened in a spreadsheet.
    guard: guardFormula,
  } as const;
  const enricher = countingEnricher(job);
  const chunks = new RowEnricher(options, new SearchNotes(), startS);
  const parts: Buffer[] = [];
  const writer = new RowWriter({ write: (bytes) => void parts.push(Buffer.from(bytes)) });
  const context = {
    open: () => Promise.resolve(enricher),
    nowS: startS,
    wait: <T>(work: (signal: AbortSignal) => Promise<T>) => work(new AbortController().signal),
  };
  return async (bytes: Buffer, isFirst: boolean, headerLine: number) => {
    const reply = await chunks.enrich({ bytes, bodyFrom: 0, bodyEnd: bytes.length - 1 }, context);
    if (reply === null) throw new Error('a block has a header');
    writer.writeTable(reply, isFirst, headerLine);
    return { reply, parts: parts.splice(0) };
  };
}

function rowsBeyondHeader({ rows: { count, contentEnds, lineEnds } }: ReplyRows): number {
  let found = 0;
  for (let row = 0; row < count; row++) if (contentEnds[row] !== lineEnds[row]) found++;
  return found;
}
