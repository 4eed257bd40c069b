import { rawText } from './collect-page.ts';

/** Runs that try to read a part of a feed before it is given up. */
export const MAX_TRIES = 3;
/** Pages that are remembered to see that a server goes round in circles. */
const REMEMBERED = 8;

/** Marks of the pages read last, newest last. */
export type SeenPages = readonly string[];

/** What names a page: how many rows, the first and the last of them. `null`: its rows have no ids, and look alike without being the same. */
export function markOfPage(rows: readonly unknown[]): string | null {
  return hasId(rows[0]) && hasId(rows.at(-1)) ? `${rows.length} ${rawText(rows[0])} ${rawText(rows.at(-1))}` : null;
}

/** Whether that page came before. */
export function hasSeen(seen: SeenPages, mark: string | null): boolean {
  return mark !== null && seen.includes(mark);
}

/** `seen` with one more page. */
export function withPage(seen: SeenPages, mark: string | null): SeenPages {
  return mark === null ? seen : [...seen.slice(1 - REMEMBERED), mark];
}

function hasId(row: unknown): boolean {
  return typeof row === 'object' && row !== null && ('id' in row || 'uuid' in row);
}

/** A cursor, with how many runs in a row had to leave something behind it. */
export interface TriedCursor {
  readonly at: string | null;
  readonly tries: number;
}

/** Reads a cursor as `writeTried` wrote it; `at` is `null` before the first run. */
export function readTried(cursor: string | null): TriedCursor {
  const [, at = null, tries = '0'] = /^(.*?)(?: tries=(\d{1,9}))?$/s.exec(cursor ?? '') ?? [];
  return { at: at === '' ? null : at, tries: Number(tries) };
}

/** Where the next run begins when this one left something out: where this one began, until that was tried often enough. */
export function writeTried({ from, to, tries }: { from: string; to: string; tries: number }): string {
  return tries < MAX_TRIES ? `${from} tries=${tries}` : to;
}

/** What becomes of a part that could not be read, in words. */
export function triesText(tries: number): string {
  return tries < MAX_TRIES ? `tried again with the next run (${tries} of ${MAX_TRIES})` : `given up after ${tries} runs`;
}
