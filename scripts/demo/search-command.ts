// Speaks Splunk's chunked protocol v2 to the built search command, as splunkd does for a search.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { readCsvRows, RFC_4180 } from '../../src/model/formats/csv-rows.ts';

/** One row: the fields a search hands over, each with its values. */
export type Row = Readonly<Record<string, readonly string[]>>;

/** A row of the reply: field → cell. */
export type ReplyRow = Readonly<Record<string, string>>;

interface Reply {
  readonly metadata: { readonly finished?: boolean; readonly inspector?: { readonly messages?: readonly (readonly [string, string])[] } };
  readonly body: string;
}

const CHUNK_ROWS = 100;

/**
 * `| ismalicious <args>` over `rows`: getinfo, then one execute a chunk, each answered before the next is sent. Gives the reply
 * rows, joined by `_chunked_idx`. Throws with the command's own words when it refuses or ends early.
 */
export async function runSearchCommand(
  program: string,
  args: readonly string[],
  rows: readonly Row[],
  env: NodeJS.ProcessEnv,
): Promise<ReplyRow[]> {
  const command = spawn(process.execPath, [program], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const replies = readReplies(command.stdout);
  let complaints = '';
  command.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  const ask = async (metadata: object, body = ''): Promise<Reply> => {
    command.stdin.write(frame(metadata, body));
    const { value, done } = await replies.next();
    const errors = done ? [] : (value.metadata.inspector?.messages ?? []).filter(([level]) => level === 'ERROR' || level === 'FATAL');
    if (done || errors.length > 0)
      throw new Error(`the search command failed: ${errors.map(([, text]) => text).join('; ') || complaints || 'it ended early'}`);
    return value;
  };
  try {
    await ask({
      action: 'getinfo',
      preview: false,
      searchinfo: { args, raw_args: args, app: 'ismalicious', sid: 'demo', maxresultrows: 50_000 },
    });
    const found: ReplyRow[] = [];
    for (let at = 0; at < rows.length; at += CHUNK_ROWS) {
      const chunk = rows.slice(at, at + CHUNK_ROWS);
      const { body } = await ask({ action: 'execute', finished: at + CHUNK_ROWS >= rows.length }, toBody(chunk));
      found.push(...inOrder(body, chunk.length));
    }
    return found;
  } finally {
    command.stdin.end();
    if (command.exitCode === null) await once(command, 'exit');
  }
}

function frame(metadata: object, body: string): string {
  const head = JSON.stringify(metadata);
  return `chunked 1.0,${Buffer.byteLength(head)},${Buffer.byteLength(body)}\n${head}${body}`;
}

/** As splunkd writes it: all fields, then `__mv_<field>` for all of them, then the place of the row. */
function toBody(rows: readonly Row[]): string {
  const fields = Object.keys(rows[0] ?? {});
  const lines = rows.map((row, place) => [
    ...fields.map((field) => quoted((row[field] ?? []).join('\n'))),
    ...fields.map((field) => quoted(multivalueOf(row[field] ?? []))),
    String(place),
  ]);
  return [[...fields, ...fields.map((field) => `__mv_${field}`), '_chunked_idx'], ...lines].map((cells) => `${cells.join(',')}\n`).join('');
}

function multivalueOf(values: readonly string[]): string {
  return values.length < 2 ? '' : values.map((value) => `$${value.replaceAll('$', '$$$$')}$`).join(';');
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** The rows of a reply at the places of the rows that were sent: one that is missing or there twice is a fault. */
function inOrder(body: string, count: number): ReplyRow[] {
  const [header = [], ...lines] = readCsvRows(body, RFC_4180).rows;
  const rows = lines.map((cells) => Object.fromEntries(header.map((name, n) => [name, cells[n] ?? ''])));
  const byPlace = new Map(rows.map((row) => [Number(row._chunked_idx), row]));
  const found = Array.from({ length: count }, (_, place) => byPlace.get(place));
  if (rows.length !== count || found.includes(undefined)) throw new Error(`the search command gave ${rows.length} rows for ${count}`);
  return found.filter((row) => row !== undefined);
}

async function* readReplies(stream: Readable): AsyncGenerator<Reply, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const part of stream) {
    rest = Buffer.concat([rest, part as Buffer]);
    for (let reply = takeReply(rest); reply !== null; reply = takeReply(rest)) {
      rest = rest.subarray(reply.length);
      yield reply;
    }
  }
  return undefined;
}

function takeReply(bytes: Buffer): (Reply & { readonly length: number }) | null {
  const lineEnd = bytes.indexOf('\n');
  if (lineEnd < 0) return null;
  const [, head = '', body = ''] = /^chunked 1\.0,(\d+),(\d+)$/.exec(bytes.toString('latin1', 0, lineEnd)) ?? [];
  if (head === '') throw new Error('the search command broke the protocol: no chunked header');
  const bodyStart = lineEnd + 1 + Number(head);
  const length = bodyStart + Number(body);
  if (bytes.length < length) return null;
  const metadata = JSON.parse(bytes.toString('utf8', lineEnd + 1, bodyStart)) as Reply['metadata'];
  return { metadata, body: bytes.toString('utf8', bodyStart, length), length };
}
