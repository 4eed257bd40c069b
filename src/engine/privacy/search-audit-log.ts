import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { digestOfSent, type RequestId, requestIdsIn } from '../../model/formats/request-id.ts';
import { KEPT_FILES } from './audit-log.ts';
import { readLine, type SentRecord } from './read-audit-log.ts';

/** What of the log is read. */
export interface AuditSearch {
  /** ISO 8601, UTC; calls before it are left out. */
  readonly since?: string;
  /** ISO 8601, UTC; it and calls after it are left out. */
  readonly until?: string;
  readonly about?: string;
  /** Bytes of it that are read at most, the youngest ones; left out: all. */
  readonly mostBytes?: number;
}

/** Goes through the log, the older files first, and hands over every call; lines that cannot be read are left out. */
export async function* readWholeAuditLog(
  path: string,
  { since = '', until, about, mostBytes }: AuditSearch = {},
): AsyncGenerator<SentRecord> {
  // What is looked for stands in the line as JSON writes it: most lines need not be parsed.
  const spelled = about === undefined ? '' : JSON.stringify(about).slice(1, -1);
  for (const { file, start } of partsToRead(path, mostBytes ?? Infinity)) {
    for await (const line of linesOf(file, start)) {
      const record = line.includes(spelled) ? readLine(line) : null;
      if (record !== null && record.time >= since && (until === undefined || record.time < until)) yield record;
    }
  }
}

/** The lines of a file; none of one that was rotated away meanwhile. What begins in the middle of a line begins with no line. */
async function* linesOf(file: string, start: number): AsyncGenerator<string> {
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (handle === null) return;
  try {
    let isWhole = start === 0;
    for await (const line of handle.readLines({ start })) {
      if (isWhole) yield line;
      isWhole = true;
    }
  } finally {
    await handle.close();
  }
}

/** The files of the log, the oldest first, and from which byte on each is read. */
function partsToRead(path: string, mostBytes: number): { readonly file: string; readonly start: number }[] {
  const youngestFirst = [path, ...Array.from({ length: KEPT_FILES }, (_, n) => `${path}.${n + 1}`)];
  const parts: { file: string; start: number }[] = [];
  let left = mostBytes;
  for (const file of youngestFirst) {
    const bytes = statSync(file, { throwIfNoEntry: false })?.size;
    if (bytes === undefined || left <= 0) continue;
    parts.unshift({ file, start: Math.max(0, bytes - left) });
    left -= bytes;
  }
  return parts;
}

/** Whether a call belongs to what is traced: a value that was sent, a run, a search or a user. */
export function isTraced({ indicators, run, search, user }: SentRecord, about: string): boolean {
  return indicators.includes(about) || run === about || search === about || user === about;
}

/** A call is recorded before it is made, and its answer dated in whole seconds after it. */
const ANSWERED_WITHIN_MS = 1000;

/**
 * The calls that brought the answers of these requests, by their places; `undefined`: the log has it no more. A value may have been asked
 * for again later: the last call not after the answer is the one.
 */
export async function findRequests(path: string, requests: readonly RequestId[]): Promise<(SentRecord | undefined)[]> {
  const found: (SentRecord | undefined)[] = requests.map(() => undefined);
  const sought = requests.map(({ provider, checkedAtS, digest }, at) => {
    return { provider, digest, at, untilMs: checkedAtS * 1000 + ANSWERED_WITHIN_MS };
  });
  for await (const record of readWholeAuditLog(path)) {
    const timeMs = Date.parse(record.time);
    for (const { provider, digest, at, untilMs } of sought) {
      if (record.provider !== provider || timeMs >= untilMs || timeMs < Date.parse(found[at]?.time ?? record.time)) continue;
      if (record.indicators.some((value) => digestOfSent(provider, value) === digest)) found[at] = record;
    }
  }
  return found;
}

/** The same for the ids in a text, those that the log has no more left out. */
export async function findTraced(path: string, trace: string): Promise<readonly SentRecord[]> {
  return (await findRequests(path, requestIdsIn(trace))).filter((record) => record !== undefined);
}

/** How much left on whose behalf. */
export interface CallerSum {
  readonly program: string;
  /** `null`: the program does not know. */
  readonly user: string | null;
  readonly search: string | null;
  readonly calls: number;
  readonly values: number;
  /** What the values cost at the providers' prices for one look-up. */
  readonly credits: number;
}

/** Which calls are added up, and how many callers are named. */
export interface CallerSearch extends Pick<AuditSearch, 'since' | 'until' | 'mostBytes'> {
  /** The rest is one line, program `other`. */
  readonly most: number;
  /** Credits for one look-up, by provider; 0 for those that are not in it. */
  readonly costs?: ReadonlyMap<string, number>;
}

/** Calls, values and credits of a period by program, user and search: those who spent most first. */
export async function sumByCaller(path: string, { most, costs, ...search }: CallerSearch): Promise<CallerSum[]> {
  const sums = new Map<string, CallerSum>();
  for await (const { provider, program = 'unknown', user = null, search: of = null, indicators } of readWholeAuditLog(path, search)) {
    const key = JSON.stringify([program, user, of]);
    const { calls, values, credits } = sums.get(key) ?? { calls: 0, values: 0, credits: 0 };
    const count = indicators.length;
    const paid = count * (costs?.get(provider) ?? 0);
    sums.set(key, { program, user, search: of, calls: calls + 1, values: values + count, credits: credits + paid });
  }
  const sorted = [...sums.values()].toSorted((a, b) => b.credits - a.credits || b.values - a.values);
  const rest = sorted.slice(most);
  if (rest.length === 0) return sorted;
  const total = (what: 'calls' | 'values' | 'credits') => rest.reduce((sum, one) => sum + one[what], 0);
  const other = { program: 'other', user: null, search: null, calls: total('calls'), values: total('values'), credits: total('credits') };
  return [...sorted.slice(0, most), other];
}
