import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { digestOfSent, type RequestId, requestIdsIn } from '../../model/formats/request-id.ts';
import { KEPT_FILES } from './audit-log.ts';
import { readLine, type SentRecord } from './read-audit-log.ts';

/** Goes through the whole log, the older files first, and hands over every call since `since` (ISO 8601); lines that cannot be read are left out. */
export async function* readWholeAuditLog(
  path: string,
  { since = '', about }: { since?: string; about?: string } = {},
): AsyncGenerator<SentRecord> {
  const older = Array.from({ length: KEPT_FILES }, (_, n) => `${path}.${KEPT_FILES - n}`);
  // What is looked for stands in the line as JSON writes it: most lines need not be parsed.
  const spelled = about === undefined ? '' : JSON.stringify(about).slice(1, -1);
  for (const file of [...older, path].filter((one) => existsSync(one)))
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
      const record = line.includes(spelled) ? readLine(line) : null;
      if (record !== null && record.time >= since) yield record;
    }
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
}

/** Calls and values of a period by program, user and search, those with most values first. At most `most` of them; the rest is one line, program `other`. */
export async function sumByCaller(path: string, since: string, most: number): Promise<CallerSum[]> {
  const sums = new Map<string, CallerSum>();
  for await (const { program = 'unknown', user = null, search = null, indicators } of readWholeAuditLog(path, { since })) {
    const key = JSON.stringify([program, user, search]);
    const { calls, values } = sums.get(key) ?? { calls: 0, values: 0 };
    sums.set(key, { program, user, search, calls: calls + 1, values: values + indicators.length });
  }
  const sorted = [...sums.values()].toSorted((a, b) => b.values - a.values);
  const rest = sorted.slice(most);
  if (rest.length === 0) return sorted;
  const total = (what: 'calls' | 'values') => rest.reduce((sum, one) => sum + one[what], 0);
  return [...sorted.slice(0, most), { program: 'other', user: null, search: null, calls: total('calls'), values: total('values') }];
}
