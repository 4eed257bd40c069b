// src/feeds/reading/: what several lists have in common: pages, rows, loose fields, STIX objects.
import type { Indicator, ParsedObservable } from '../../model/indicator.ts';
import { inertText } from '../../model/formats/inert-text.ts';
import { readAsNumber } from '../../model/parsing/as-number.ts';
import { parseIndicator } from '../../model/parse-indicator.ts';
import { readForLookup } from '../../model/read-for-lookup.ts';
import { BARE_OBSERVATION } from '../../model/observation.ts';
import { strictestTlp, type Tlp } from '../../model/tlp.ts';
import { isNetwork } from '../../model/formats/list-cell.ts';
import { refang } from '../../model/refang.ts';
import type { FeedItem, FeedPage, FeedStep, NetworkItem, RejectedItem } from '../feed.ts';

const MAX_RAW_CHARS = 2048;
const MAX_TAGS = 32;
const MAX_TAG_CHARS = 128;
/** A larger network in a list is a mistake: it would accuse a good part of the internet. */
const SHORTEST_PREFIX = { 'ipv4-addr': 8, 'ipv6-addr': 16 } as const;

/** What a feed says around a value; everything left out is "not said". */
export type ItemFacts = Partial<Omit<FeedItem, 'indicator' | 'source'>>;

/** Gathers one page: good values as items, bad ones with their reason. */
export interface PageCollector {
  /** `raw`: the value as the feed spells it. */
  add(raw: unknown, facts: ItemFacts): void;
  reject(reason: string, raw: unknown): void;
  ignore(count?: number): void;
  /** Tells that a part of the feed could not be read: the run is no whole run. */
  fault(text: string): void;
  /** The page; `cursor`: where the next run may resume once it is stored. */
  page<State>(next: FeedStep<State> | null, cursor: string | null): FeedPage<State>;
}

/** Collects a page of the feed `source`. */
export function collectPage(source: string): PageCollector {
  const items: FeedItem[] = [];
  const networks: NetworkItem[] = [];
  const rejected: RejectedItem[] = [];
  const faults: string[] = [];
  let ignored = 0;
  const reject = (reason: string, raw: unknown) => void rejected.push({ reason, raw: rawText(raw) });
  return {
    add(raw, facts) {
      const parsed = parsePublic(raw);
      if (typeof parsed === 'string') reject(parsed, raw);
      else if ('network' in parsed) networks.push({ ...factsOf(source, facts), network: parsed.network });
      else items.push({ ...factsOf(source, facts), indicator: parsed });
    },
    reject,
    ignore(count = 1) {
      ignored += count;
    },
    fault: (text) => void faults.push(text),
    page: (next, cursor) => ({ items, networks, rejected, ignored, faults, next, cursor }),
  };
}

/** The indicator or network (an AS number is one too), or why there is none. A special-purpose address in a threat feed is junk: it would match half the network. */
function parsePublic(raw: unknown): Indicator | { readonly network: string } | string {
  if (typeof raw !== 'string') return 'no value';
  const asNumber = readAsNumber(raw);
  if (asNumber !== null) return { network: `AS${asNumber}` };
  const network = raw.includes('/') ? refang(raw.trim()) : '';
  if (isNetwork(network)) return parseNetwork(network);
  const plain = parseIndicator(raw);
  const parsed = plain.kind === 'invalid' ? (oneInForm(raw) ?? plain) : plain;
  if (parsed.kind === 'public') return parsed.indicator;
  return parsed.kind === 'private' ? `never an indicator: ${parsed.reason}` : parsed.reason;
}

/** The one indicator of a value that has its type before it, or a note in brackets behind it; `null`: there is none, or several. */
function oneInForm(raw: string): ParsedObservable | null {
  const read = readForLookup(raw);
  if (read.kind === 'public' || read.kind === 'private') return read;
  const [indicator] = read.kind === 'parts' && read.parts.length === 1 ? read.parts : [];
  return indicator === undefined ? null : { kind: 'public', indicator };
}

function parseNetwork(text: string): { readonly network: string } | string {
  const slash = text.indexOf('/');
  const first = parseIndicator(text.slice(0, slash));
  if (first.kind === 'invalid') return first.reason;
  if (first.kind === 'private') return `never an indicator: ${first.reason}`;
  const { type, value } = first.indicator;
  const length = Number(text.slice(slash + 1));
  const shortest = type === 'ipv6-addr' ? SHORTEST_PREFIX[type] : SHORTEST_PREFIX['ipv4-addr'];
  if (length < shortest) return `a network larger than /${shortest} in a list is a mistake: it would name a good part of the internet`;
  return { network: `${value}/${length}` };
}

function factsOf(source: string, facts: ItemFacts): Omit<FeedItem, 'indicator'> {
  return {
    ...BARE_OBSERVATION,
    ...facts,
    source,
    tags: cleanTags(facts.tags ?? []),
  };
}

function cleanTags(tags: readonly string[]): string[] {
  // The store keeps tags as lines; and no tag may draw on a terminal.
  const words = tags.map((tag) => inertText(tag).trim().slice(0, MAX_TAG_CHARS)).filter((tag) => tag !== '');
  return [...new Set(words)].slice(0, MAX_TAGS);
}

/** An item as it came, as text of a bounded length. */
export function rawText(raw: unknown): string {
  return (typeof raw === 'string' ? raw : jsonOf(raw)).slice(0, MAX_RAW_CHARS);
}

function jsonOf(raw: unknown): string {
  try {
    return JSON.stringify(raw) ?? String(raw);
  } catch {
    // What JSON.parse took apart without recursion may be nested too deeply to be written: one bad item is no reason to lose its page.
    return 'nested too deeply to be shown';
  }
}

/** The strictest TLP label among tags such as `tlp:amber`; `null` when none is one. Words without the prefix may mean anything. */
export function tlpOfTags(tags: readonly string[]): Tlp | null {
  return strictestTlp(tags.filter((tag) => /^\s*tlp:/i.test(tag)));
}
