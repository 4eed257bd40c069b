import { errorMessage } from '../model/formats/error-message.ts';
import { existsSync } from 'node:fs';
import { type ConfigSources, settingSource } from '../config/load.ts';
import type { AskAsNumber, SystemLists } from '../engine/privacy/local-source.ts';
import { decayedScore, DEFAULT_HALF_LIVES, type HalfLives } from '../store/decay.ts';
import { type Listings, openListings } from '../store/listings.ts';
import type { StoredIndicator, StoredNetwork } from '../store/observation.ts';
import { OWN_ECHO, type OwnJudgement } from '../model/formats/own-export.ts';
import { buildPrefixTree, type PrefixTree } from '../model/tables/prefix-tree.ts';
import { parseIndicator } from '../model/parse-indicator.ts';
import type { Indicator, IndicatorType } from '../model/indicator.ts';
import type { Verdict } from '../model/verdict.ts';
import { halfLifeDays } from './settings/half-life-setting.ts';

/** What a listing without a confidence of its own counts: somebody named it, nobody said how sure. */
const UNSURE_SCORE = 55;
/** So that it says something alone, and hardly moves what others say of the value. */
const UNSURE_CONFIDENCE = 5;
const MALICIOUS_FROM = 70;
/** Below this a listing is so old that it says nothing. */
const FADED_BELOW = 10;
const CHANGE_CHECK_MS = 30_000;

/** How the store answers beside the lists. */
export interface StoreSourceOptions {
  readonly path: string;
  readonly halfLives?: HalfLives;
  readonly nowS: () => number;
  /** Whether anybody knows the AS numbers of addresses. */
  readonly hasAsNumbers?: boolean;
  /** For programs that stay: a file that is there only later is found, and what feeds list later. */
  readonly watches: boolean;
  /** Told when the file can no longer be read. */
  readonly onFault?: (message: string) => void;
}

/** The store as it is open now; `fault`: why it cannot be. */
interface OpenedStore {
  readonly core: Listings | null;
  readonly fault: string | null;
  readonly changes: number;
}

/** The networks and autonomous systems of one state of the store. */
interface ListedNetworks {
  readonly of: OpenedStore;
  readonly tree: PrefixTree<StoredNetwork> | null;
  readonly systems: ReadonlyMap<number, StoredNetwork>;
}

const NOT_THERE: OpenedStore = { core: null, fault: null, changes: 0 };

/**
 * The pipeline's store behind the user's lists, as the `local` provider sees them: the lists first, then what feeds listed, each feed by
 * its name. What providers said of a value is asked of them, not echoed. A file that cannot be read is a fault of the list, no end.
 */
export function withStore(lists: SystemLists, options: StoreSourceOptions): SystemLists {
  const listeners: (() => void)[] = [];
  let opened = open(options);
  /** A file that can no longer be read is left until the next check, and told as a fault of the list. */
  function guarded<T>(read: (core: Listings) => T, otherwise: T): T {
    const { core } = opened;
    if (core === null) return otherwise;
    try {
      return read(core);
    } catch (error) {
      opened = { core: null, fault: errorMessage(error), changes: 0 };
      options.onFault?.(faultText(options.path, opened.fault));
      core.close();
      return otherwise;
    }
  }
  const check = () => {
    const before = opened;
    opened = opened.core === null ? open(options) : (guarded<OpenedStore | null>(refreshed, null) ?? opened);
    if (opened.core === before.core && opened.changes === before.changes) return;
    for (const listener of listeners) listener();
  };
  let networks: ListedNetworks = { of: NOT_THERE, tree: null, systems: new Map() };
  /** Read with the first value that is not listed itself. */
  const networksOf = (core: Listings) => {
    if (networks.of.core !== opened.core || networks.of.changes !== opened.changes) networks = { of: opened, ...sortedOf(core.networks()) };
    return networks;
  };
  const find = (core: Listings, indicator: Indicator) =>
    listedVerdict(core, indicator, options) ?? networkVerdict(networksOf(core).tree, indicator, options);
  let counted = { of: NOT_THERE, entries: 0 };
  const countOf = () => {
    if (counted.of.core !== opened.core || counted.of.changes !== opened.changes)
      counted = { of: opened, entries: guarded((core) => core.count(), 0) };
    return counted.entries;
  };
  const timer = options.watches ? setInterval(check, CHANGE_CHECK_MS) : null;
  timer?.unref();
  return {
    lookup: (indicator) => lists.lookup(indicator) ?? (opened.core === null ? null : guarded((core) => find(core, indicator), null)),
    allowance: (indicator) => lists.allowance(indicator),
    isNamed: (indicator) => lists.isNamed(indicator),
    lookupSystem: (ask) => lists.lookupSystem(ask) ?? guarded((core) => systemVerdict(networksOf(core).systems, ask, options), null),
    allowanceOfSystem: (ask) => lists.allowanceOfSystem(ask),
    onChange(listener) {
      listeners.push(listener);
      lists.onChange(listener);
    },
    stats() {
      const { core, fault } = opened;
      const systemsNow = () => (options.hasAsNumbers === true ? 0 : guarded((store) => store.countSystems(), 0));
      const own = core === null && fault === null ? [] : [statsOf(options.path, fault, { countOf, unmatchedOf: systemsNow })];
      return { lists: [...lists.stats().lists, ...own] };
    },
    close() {
      if (timer) clearInterval(timer);
      opened.core?.close();
      opened = NOT_THERE;
      lists.close();
    },
  };
}

/** The half-lives that the pipeline itself counts by. A wrong setting is told by `config check`; here it is none. */
export function storedHalfLives(sources: ConfigSources): HalfLives {
  const set = halfLifeDays.safeParse(settingSource('pipeline', 'halfLifeDays', halfLifeDays, sources).value);
  return { ...DEFAULT_HALF_LIVES, ...set.data };
}

function open({ path, halfLives = DEFAULT_HALF_LIVES }: StoreSourceOptions): OpenedStore {
  if (!existsSync(path)) return NOT_THERE;
  try {
    return refreshed(openListings(path, halfLives));
  } catch (error) {
    return { core: null, fault: errorMessage(error), changes: 0 };
  }
}

function refreshed(core: Listings): OpenedStore {
  return { core, fault: null, changes: core.changes() };
}

function faultText(path: string, fault: string | null): string {
  return `the pipeline store ${path} cannot be read (${fault}): what feeds listed is not counted; run \`ismalicious store check\`, or restore the file`;
}

function statsOf(path: string, fault: string | null, { countOf, unmatchedOf }: Readonly<Record<'countOf' | 'unmatchedOf', () => number>>) {
  return {
    name: 'pipeline store',
    // Counted for those who show it, once: a million rows are not walked at every start, nor at every look at the metrics.
    get entries() {
      return countOf();
    },
    faults: fault === null ? [] : [faultText(path, fault)],
    get note() {
      const unmatched = unmatchedOf();
      return unmatched === 0 ? null : `AS numbers among them that match nothing: ${unmatched} (set local.asn_database)`;
    },
  };
}

function sortedOf(listed: readonly StoredNetwork[]): Omit<ListedNetworks, 'of'> {
  const systems = new Map<number, StoredNetwork>();
  const networks = listed.filter((one) => {
    const asNumber = /^AS(\d+)$/.exec(one.network)?.[1];
    if (asNumber !== undefined) systems.set(Number(asNumber), one);
    return asNumber === undefined;
  });
  const tree = networks.length === 0 ? null : buildPrefixTree(networks.map((value) => ({ pattern: value.network, value }))).tree;
  return { tree, systems };
}

function listedVerdict(store: Listings, { value }: Indicator, options: StoreSourceOptions): Verdict | null {
  const stored = store.get(value, options.nowS());
  if (!stored || stored.state === 'revoked') return null;
  if (stored.judged !== null) return repeatedVerdict(stored, stored.judged, options);
  return verdictOf(stored, { type: stored.indicator.type, note: '' }, options);
}

/** What is said of the smallest network around an address, or around the host of a URL. Addresses of the house lie in no network of others. */
function networkVerdict(tree: PrefixTree<StoredNetwork> | null, indicator: Indicator, options: StoreSourceOptions): Verdict | null {
  const stored = tree?.match(indicator);
  if (!stored || parseIndicator(indicator.value).kind !== 'public') return null;
  return verdictOf(stored, { type: stored.network.includes(':') ? 'ipv6-addr' : 'ipv4-addr', note: `, in ${stored.network}` }, options);
}

/** What is said of the autonomous system around an address. */
function systemVerdict(systems: ReadonlyMap<number, StoredNetwork>, ask: AskAsNumber, options: StoreSourceOptions): Verdict | null {
  const asNumber = systems.size === 0 ? null : ask();
  const stored = asNumber === null ? undefined : systems.get(asNumber);
  const said = stored ? verdictOf(stored, { type: 'ipv4-addr', note: `, in ${stored.network}` }, options) : null;
  return said === null || asNumber === null ? null : { ...said, attributes: [...said.attributes, `as${asNumber}`] };
}

/**
 * What this pack said in another house, as it was said there: score, confidence and word. It is marked, so that it counts only where nobody
 * else gives a score: it is made of what others said, and confirms none of them.
 */
function repeatedVerdict(stored: StoredIndicator, { verdict, score }: OwnJudgement, options: StoreSourceOptions): Verdict | null {
  const said = verdictOf({ ...stored, feedConfidence: score }, { type: stored.indicator.type, note: '' }, options, verdict === 'clean');
  if (said === null || verdict === 'unknown') return null;
  return { ...said, verdict, confidence: stored.feedConfidence, attributes: [...said.attributes, OWN_ECHO] };
}

function verdictOf(
  stored: Omit<StoredNetwork, 'network'>,
  about: { readonly type: IndicatorType; readonly note: string },
  { nowS, halfLives = DEFAULT_HALF_LIVES }: StoreSourceOptions,
  speaksWhenLow = false,
): Verdict | null {
  // To be watched is no accusation.
  const feeds = stored.sources.filter((source) => source !== 'watchlist');
  if (feeds.length === 0 || (stored.validUntilS !== null && stored.validUntilS <= nowS())) return null;
  const score = decayedScore(stored.feedConfidence ?? UNSURE_SCORE, nowS() - stored.confirmedS, halfLives[about.type]);
  if (score === null || (score < FADED_BELOW && !speaksWhenLow)) return null;
  return {
    provider: 'local',
    verdict: score >= MALICIOUS_FROM ? 'malicious' : 'suspicious',
    score,
    confidence: stored.feedConfidence ?? UNSURE_CONFIDENCE,
    categories: [],
    attributes: feeds.map((feed) => `feed:${feed}`),
    sightings: null,
    firstSeen: new Date(stored.firstSeenS * 1000).toISOString(),
    lastSeen: new Date(stored.lastSeenS * 1000).toISOString(),
    reference: stored.reference,
    tlp: stored.tlp ?? 'AMBER',
    note: `listed by ${feeds.join(', ')}${about.note}`,
    isPending: false,
  };
}
