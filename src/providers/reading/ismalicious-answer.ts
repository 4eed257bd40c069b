import * as z from 'zod/mini';
import type { Indicator } from '../../model/indicator.ts';
import { isoTime } from '../../model/formats/iso-time.ts';
import { LookupError } from '../../model/lookup-error.ts';
import type { Verdict, VerdictWord } from '../../model/verdict.ts';
import { assertAboutIfTold, verdictOf } from './verdict-facts.ts';
import { droppedNote, readTolerant, type TolerantReading } from './read-tolerant.ts';

const ID = 'ismalicious';
/** Documents have carried 50 KB of listings: those beyond are not read. */
const MAX_SOURCES = 500;

/** The fields of all recorded shapes (IP and domain, hash, bulk row, legacy); a document has some of them. */
function documentSchema() {
  const text = z.nullish(z.string());
  const texts = z.nullish(z.array(z.string()));
  return z.object({
    /** The value as it was asked; older answers leave it out. */
    query: z.optional(z.unknown()),
    malicious: z.nullish(z.boolean()),
    isMalicious: z.nullish(z.boolean()),
    riskScore: z.nullish(z.unknown()),
    riskLevel: text,
    confidenceScore: z.nullish(z.unknown()),
    confidence: z.nullish(z.unknown()),
    categories: texts,
    classification: z.nullish(z.object({ primary: text, secondary: texts })),
    /** Listings; in bulk rows their number. */
    sources: z.nullish(z.union([z.number(), z.array(z.unknown())])),
    reputation: z.nullish(z.record(z.string(), z.unknown())),
    infrastructure: z.nullish(z.object({ attributes: texts })),
    firstSeen: text,
    lastSeen: text,
    timeline: z.nullish(z.object({ firstSeen: text, lastSeen: text })),
    dataTrust: z.nullish(z.object({ firstSeen: text, lastSeen: text })),
    evidence: z.nullish(z.object({ confidence: z.nullish(z.unknown()) })),
    lookupStatus: text,
    knownGood: z.nullish(z.boolean()),
    pending: z.nullish(z.unknown()),
  });
}

type Document = z.output<ReturnType<typeof documentSchema>>;

// Made at the first answer: a search that finds everything in the cache reads none.
let schema: ReturnType<typeof documentSchema> | undefined;

/** What decides unless the flag says it all: a fault in it is a fault of the answer. All else is decoration, and `knownGood` only ever helps. */
const DECIDES: ReadonlySet<string> = new Set(['malicious', 'isMalicious', 'sources', 'reputation', 'lookupStatus']);
const FLAGS: ReadonlySet<string> = new Set(['malicious', 'isMalicious']);

function parseDocument(body: unknown): TolerantReading<ReturnType<typeof documentSchema>> {
  schema ??= documentSchema();
  const isAccused = typeof body === 'object' && body !== null && [...FLAGS].some((flag) => Reflect.get(body, flag) === true);
  return readTolerant(schema, body, isAccused ? FLAGS : DECIDES);
}

/** A list that names the value, as far as it can be read: one that cannot is a list all the same. */
interface Listing {
  readonly threatClass: string | null;
  readonly words: readonly string[];
}

function listingOf(said: unknown): Listing {
  const categories: unknown = typeof said === 'object' && said !== null ? Reflect.get(said, 'categories') : null;
  const listed = Array.isArray(categories) ? categories.filter((word) => typeof word === 'string') : [];
  const category = textAt(said, 'category');
  return { threatClass: textAt(said, 'threatClass'), words: listed.length > 0 ? listed : category ? [category] : [] };
}

/** One of these has to be there, or the answer is about something else. An empty object is an answer: unknown. */
const TELLING = [
  'malicious',
  'isMalicious',
  'riskScore',
  'sources',
  'reputation',
  'lookupStatus',
  'confidenceScore',
  'categories',
  'riskLevel',
  'pending',
];

/** Reads the answer of `GET /check`. Never `null`: an indicator nobody lists is told by the document itself. */
export function readCheck(body: unknown, indicator: Indicator): Verdict {
  const { answer: document, dropped } = parseDocument(body);
  const keys = Object.keys(body as object);
  if (keys.length > 0 && !keys.some((key) => TELLING.includes(key)))
    throw new LookupError('bad_response', ID, 'answer has none of the fields of /check');
  assertAboutIfTold(ID, indicator, document.query);
  return toVerdict(document, indicator, dropped);
}

/** Reads one row of `POST /bulk/check`. */
export function readRow(row: unknown, indicator: Indicator): Verdict {
  const { answer, dropped } = parseDocument(row);
  return toVerdict(answer, indicator, dropped);
}

function toVerdict(document: Document, indicator: Indicator, dropped: number): Verdict {
  const listings = Array.isArray(document.sources) ? document.sources.slice(0, MAX_SOURCES).map(listingOf) : [];
  // Cloud ranges, Tor lists and ad lists say what an address is, not that it is bad.
  const threats = listings.filter(({ threatClass }) => !threatClass || threatClass === 'threat');
  const others = listings.filter((listing) => !threats.includes(listing));
  const hits = typeof document.sources === 'number' ? document.sources : threats.length;
  const { infrastructure, classification } = document;
  return verdictOf(ID, {
    verdict: climbLadder(document, hits, indicator),
    score: document.lookupStatus === 'unknown' ? null : wholeNumber(scoreOf(document)),
    confidence: confidenceOf(document),
    categories: [
      ...(document.categories ?? []),
      ...(classification?.primary && classification.primary !== 'unknown' ? [classification.primary] : []),
      ...(classification?.secondary ?? []),
      ...threats.flatMap(({ words }) => words),
    ],
    attributes: [
      ...(infrastructure?.attributes ?? others.flatMap(({ words }) => words)),
      ...(document.knownGood === true ? ['known-good'] : []),
    ],
    sightings: document.sources === null || document.sources === undefined ? null : Math.max(0, Math.trunc(hits)),
    firstSeen: isoTime(document.firstSeen ?? document.timeline?.firstSeen ?? document.dataTrust?.firstSeen),
    lastSeen: isoTime(document.lastSeen ?? document.timeline?.lastSeen ?? document.dataTrust?.lastSeen),
    // What it is in another shape is not said to be finished.
    isPending: document.pending !== null && document.pending !== undefined && !isEmptyList(document.pending),
    ...droppedNote(dropped),
  });
}

/**
 * The verdict as the vendor's own clients derive it. The `malicious` flag alone is not the verdict: a recorded address with 42 listings and
 * risk 66 has `malicious: false`. Listings count, infrastructure does not; an unseen hash is unknown, never clean.
 */
function climbLadder(document: Document, hits: number, indicator: Indicator): VerdictWord {
  const word = judgeDocument(document, hits);
  if (word === 'malicious' && document.knownGood === true) return 'suspicious';
  // Nobody vouches for a person's address: not listed is all that can be said.
  return word === 'clean' && indicator.type === 'email-addr' ? 'unknown' : word;
}

function judgeDocument(document: Document, hits: number): VerdictWord {
  const flag = document.malicious ?? document.isMalicious ?? null;
  const counts = countsOf(document);
  if (flag === null && document.sources === undefined && document.reputation === undefined) return 'unknown';
  if (flag === true) return 'malicious';
  if (document.lookupStatus === 'unknown' && document.knownGood !== true) return 'unknown';
  if (counts) {
    if (counts.malicious > 0 || counts.suspicious >= 5) return 'malicious';
    return counts.suspicious > 0 ? 'suspicious' : 'clean';
  }
  if (hits === 0) return flag === null ? 'unknown' : 'clean';
  return ['critical', 'high'].includes(levelOf(document)) ? 'malicious' : 'suspicious';
}

function countsOf({ reputation }: Document): { malicious: number; suspicious: number } | null {
  if (!reputation || !Object.values(reputation).some((count) => typeof count === 'number')) return null;
  const count = (name: string) => (typeof reputation[name] === 'number' ? reputation[name] : 0);
  return { malicious: count('malicious'), suspicious: count('suspicious') };
}

function levelOf({ riskScore, riskLevel }: Document): string {
  return (textAt(riskScore, 'level') ?? riskLevel ?? '').toLowerCase();
}

function scoreOf({ riskScore }: Document): unknown {
  return typeof riskScore === 'object' && riskScore !== null ? Reflect.get(riskScore, 'score') : riskScore;
}

function confidenceOf({ confidenceScore, confidence, evidence }: Document): number | null {
  for (const said of [confidenceScore, confidence, evidence?.confidence]) {
    const value = wholeNumber(typeof said === 'object' && said !== null ? Reflect.get(said, 'score') : said);
    if (value !== null) return value;
  }
  return null;
}

/** 0 to 100, fractions cut off; a boolean or a text is no number. */
function wholeNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? Math.min(100, Math.max(0, Math.trunc(value))) : null;
}

function textAt(value: unknown, key: string): string | null {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : null;
  return typeof found === 'string' ? found : null;
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
