import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';

/** One call that left: when, to whom, about what. */
export interface SentRecord {
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly provider: string;
  readonly indicators: readonly string[];
  /** The host program, who ran it, the search it ran for; the number of that run and a fingerprint of its settings. Lines of older versions lack them. */
  readonly program?: string | undefined;
  readonly user?: string | undefined;
  readonly search?: string | undefined;
  readonly run?: string | undefined;
  readonly settings?: string | undefined;
}

const Text = z.optional(z.string());
const Line = z.object({
  time: z.string(),
  provider: z.string(),
  indicators: z.array(z.string()),
  program: Text,
  user: Text,
  search: Text,
  run: Text,
  settings: Text,
});

/** The end of the log that is read: older calls are in the files themselves. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Where the audit log of a state folder lies. */
export function auditLogPath(stateFolder: string): string {
  return join(stateFolder, 'egress.ndjson');
}

/** The youngest calls of the log, the youngest first, at most `most`; none where there is no file. Lines that cannot be read are left out. */
export function readAuditLog(path: string, most: number): SentRecord[] {
  const lines = endOf(path).split('\n').toReversed();
  const found: SentRecord[] = [];
  for (const line of lines) {
    if (found.length >= most) break;
    const record = readLine(line);
    if (record !== null) found.push(record);
  }
  return found;
}

/** One line of the log; `null`: none that can be read. */
export function readLine(line: string): SentRecord | null {
  return line === '' ? null : (Line.safeParse(parseJson(line)).data ?? null);
}

function endOf(path: string): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
  try {
    const { size } = fstatSync(file);
    const from = Math.max(0, size - MAX_BYTES);
    const bytes = Buffer.alloc(size - from);
    const length = readSync(file, bytes, 0, bytes.length, from);
    const text = bytes.toString('utf8', 0, length);
    // What begins in the middle of a line is no line.
    return from === 0 ? text : text.slice(text.indexOf('\n') + 1);
  } finally {
    closeSync(file);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A line that was being written when the program ended.
    return null;
  }
}
