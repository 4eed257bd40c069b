import type { HttpAnswer } from '../../providers/provider.ts';

/** The versions of TAXII that are spoken: 2.1 pages by `next`, 2.0 by ranges of items. */
export type TaxiiVersion = '2.0' | '2.1';

/** What is asked for: TAXII's own resources, and objects (TAXII 2.0 §1.6.8, 2.1 §1.6.8). */
const MEDIA_TYPES = {
  '2.1': { taxii: 'application/taxii+json;version=2.1', objects: 'application/taxii+json;version=2.1' },
  '2.0': { taxii: 'application/vnd.oasis.taxii+json; version=2.0', objects: 'application/vnd.oasis.stix+json; version=2.0' },
} as const;

/** One way in: an address, and the version that is asked for there. */
interface Entrance {
  readonly url: string;
  readonly version: TaxiiVersion;
}

/** The way in that is tried, and those behind it. */
export type Entrances = readonly [Entrance, ...Entrance[]];

/** The `Accept` of a call. */
export function acceptOf(version: TaxiiVersion, what: 'taxii' | 'objects'): string {
  return MEDIA_TYPES[version][what];
}

/** Where a server may answer, in the order in which it is tried. An address without a path gets the well-known ones (2.1 §4.1, 2.0 §4.1). */
export function entrancesOf(baseUrl: string): Entrances {
  const given: Entrances = [
    { url: `${baseUrl}/`, version: '2.1' },
    { url: `${baseUrl}/`, version: '2.0' },
  ];
  if (new URL(baseUrl).pathname !== '/') return given;
  return [...given, { url: `${baseUrl}/taxii2/`, version: '2.1' }, { url: `${baseUrl}/taxii/`, version: '2.0' }];
}

/** What is left to try after an answer: behind 404 other addresses, behind "not acceptable" the other version as well. `null`: nothing. */
export function entrancesAfter({ status }: HttpAnswer, [tried, ...rest]: Entrances): Entrances | null {
  const isRefused = status === 406 || status === 415;
  const [next, ...others] = isRefused ? rest : status === 404 ? rest.filter(({ url }) => url !== tried.url) : [];
  return next === undefined ? null : [next, ...others];
}

/** The version a server speaks: it says so in its media type, whatever it was asked for; else it is taken by its word. */
export function versionOf({ headers }: HttpAnswer, asked: TaxiiVersion): TaxiiVersion {
  const type = headers['content-type'] ?? '';
  if (/vnd\.oasis\./i.test(type)) return '2.0';
  return /application\/taxii\+json/i.test(type) ? '2.1' : asked;
}

/** Whether a collection is given out as STIX of TAXII 2.0 alone. */
export function isOldCollection(mediaTypes: readonly string[]): boolean {
  return mediaTypes.length > 0 && mediaTypes.every((type) => /vnd\.oasis\.stix\+json/i.test(type) && !/version=2\.1/i.test(type));
}

/** Asks for `size` items from `from` on (2.0 §3.4). */
export function rangeHeader(from: number, size: number): string {
  return `items ${from}-${from + size - 1}`;
}

/** Where the next range of items begins; `null`: there is none. */
export function nextRange({ headers }: HttpAnswer): number | null {
  const [, last, total] = /^\s*items[\s=]+\d+\s*-\s*(\d+)\s*\/\s*(\d+|\*)/i.exec(headers['content-range'] ?? '') ?? [];
  if (last === undefined) return null;
  const next = Number(last) + 1;
  return total === '*' || next < Number(total) ? next : null;
}
