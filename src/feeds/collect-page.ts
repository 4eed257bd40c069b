import type { Indicator } from '../model/indicator.ts';
import { inertText } from '../model/formats/inert-text.ts';
import { parseIndicator } from '../model/parse-indicator.ts';
import { BARE_OBSERVATION } from '../model/observation.ts';
import { strictestTlp, type Tlp } from '../model/tlp.ts';
import type { FeedItem, FeedPage, FeedStep, RejectedItem } from './feed.ts';

const MAX_RAW_CHARS = 2048;
const MAX_TAGS = 32;
const MAX_TAG_CHARS = 128;

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
  const rejected: RejectedItem[] = [];
  const faults: string[] = [];
  let ignored = 0;
  const reject = (reason: string, raw: unknown) => void rejected.push({ reason, raw: rawText(raw) });
  return {
    add(raw, facts) {
      const parsed = parsePublic(raw);
      if (typeof parsed === 'string') reject(parsed, raw);
      else items.push(itemOf(source, parsed, facts));
    },
    reject,
    ignore(count = 1) {
      ignored += count;
    },
    fault: (text) => void faults.push(text),
    page: (next, cursor) => ({ items, rejected, ignored, faults, next, cursor }),
  };
}

/** The indicator, or why there is none. A special-purpose address in a threat feed is junk: it would match half the network. */
function parsePublic(raw: unknown): Indicator | string {
  if (typeof raw !== 'string') return 'no value';
  const parsed = parseIndicator(raw);
  if (parsed.kind === 'public') return parsed.indicator;
  return parsed.kind === 'private' ? `never an indicator: ${parsed.reason}` : parsed.reason;
}

function itemOf(source: string, indicator: Indicator, facts: ItemFacts): FeedItem {
  return {
    ...BARE_OBSERVATION,
    ...facts,
    indicator,
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
