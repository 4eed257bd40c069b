import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { basename } from 'node:path';
import type { AsDatabase } from '../../engine/as-numbers/as-database.ts';
import type { AskAsNumber, ListStats, SystemLists } from '../../engine/privacy/local-source.ts';
import { parseIndicator } from '../../model/parse-indicator.ts';
import { buildPrefixTree, type PrefixTree } from '../../model/tables/prefix-tree.ts';
import type { ListedSystem, ListEntry, ParsedList } from '../../providers/local/list-entry.ts';
import { infrastructureEntries } from '../../providers/local/local-infrastructure.ts';
import { parseList } from '../../providers/local/local-list.ts';
import { openWarningLists } from '../infrastructure/warning-lists.ts';
import { readUnicode } from '../../model/formats/text-encoding.ts';

/** How often a list file is looked at for changes, in milliseconds. */
const WATCH_MS = 2000;

const NO_DATABASE = 'set local.asn_database to a MaxMind DB that tells the AS numbers of addresses, or list the networks in CIDR form';

export interface LocalListSettings {
  readonly lists: readonly string[];
  readonly allowLists: readonly string[];
  /** Warning lists in MISP's format, and those whose members cap what others say. */
  readonly warningLists?: readonly string[];
  readonly falsePositiveLists?: readonly string[];
  /** The sample feed, where it answers, marked as sample. */
  readonly sample: string | null;
  /** What tells the AS number of an address; `null`: nothing does. */
  readonly asDatabase?: AsDatabase | null;
  /** Whether files are read anew when they change: for programs that stay. */
  readonly watches: boolean;
}

interface LoadedList extends ParsedList {
  readonly name: string;
}

function readList(path: string): LoadedList {
  const name = basename(path);
  try {
    return { name, ...parseList(name, readUnicode(readFileSync(path))) };
  } catch (error) {
    return {
      name,
      entries: [],
      systems: [],
      faults: [`${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}): check the path and its permissions`],
    };
  }
}

/** A plain domain means that very name; `*.domain` and networks mean everything in them. */
function patternOf(value: string): string {
  if (/[*/]/.test(value) && !value.includes('://')) return value;
  const parsed = parseIndicator(value);
  return parsed.kind !== 'invalid' && parsed.indicator.type === 'domain-name' ? `=${parsed.indicator.value}` : value;
}

function build(lists: readonly LoadedList[]): { tree: PrefixTree<ListEntry>; faults: Map<string, string[]> } {
  const owners = lists.flatMap((list) => list.entries.map(() => list.name));
  const entries = lists.flatMap((list) => list.entries);
  const { tree, faults } = buildPrefixTree(entries.map((value) => ({ pattern: patternOf(value.value), value })));
  const byList = new Map<string, string[]>(lists.map((list) => [list.name, [...list.faults]]));
  for (const { index, reason } of faults) byList.get(owners[index] ?? '')?.push(`${owners[index]}, entry ${index + 1}: ${reason}`);
  return { tree, faults: byList };
}

/** Of two lists that name one system, the later one knows best. */
function systemsOf(lists: readonly LoadedList[]): ReadonlyMap<number, ListedSystem> {
  return new Map(lists.flatMap(({ systems }) => systems.map((system) => [system.asNumber, system] as const)));
}

function findSystem(systems: ReadonlyMap<number, ListedSystem>, ask: AskAsNumber): ListedSystem | null {
  const asNumber = systems.size === 0 ? null : ask();
  return asNumber === null ? null : (systems.get(asNumber) ?? null);
}

/** Why the AS numbers of a list match nothing, or nothing new. */
function systemFaults({ name, systems: [first, ...more] }: LoadedList, database: AsDatabase | null): string[] {
  const fault = database === null ? NO_DATABASE : database.fault();
  if (first === undefined || fault === null) return [];
  const isOne = more.length === 0;
  const named = isOne ? first.value : `${first.value} and ${more.length} more`;
  const isMatched = database !== null && database.kind() !== null;
  const state = isMatched ? `${isOne ? 'is' : 'are'} matched by an older file` : `match${isOne ? 'es' : ''} nothing`;
  return [`${name}: ${named} ${state}: ${fault}`];
}

/** Everything that the settings name, as it is read now. */
function load({ sample, asDatabase, ...settings }: LocalListSettings) {
  const infrastructure = { name: 'infrastructure', entries: infrastructureEntries(), systems: [], faults: [] };
  const builtIn: LoadedList[] = [infrastructure];
  if (sample !== null) builtIn.push({ name: 'sample', ...parseList('sample', sample, ['sample']) });
  // Later entries win: the customer's own lists know best.
  const lists = [...builtIn, ...settings.lists.map(readList)];
  const allowLists = settings.allowLists.map(readList);
  const warnings = openWarningLists(settings.warningLists ?? [], settings.falsePositiveLists ?? []);
  const systems = { known: systemsOf(lists), allowed: systemsOf(allowLists) };
  // Whether it can be read is said with the lists that need it.
  if (systems.known.size + systems.allowed.size > 0) asDatabase?.open();
  const builtInEntries: ReadonlySet<ListEntry> = new Set(infrastructure.entries);
  return { lists, allowLists, known: build(lists), allowed: build(allowLists), warnings, systems, builtInEntries };
}

function statsOf(
  list: LoadedList,
  prefix: string,
  faults: ReadonlyMap<string, readonly string[]>,
  asDatabase: AsDatabase | null,
): ListStats {
  const matched = asDatabase === null || asDatabase.kind() === null ? 0 : list.systems.length;
  return {
    name: `${prefix}${list.name}`,
    entries: list.entries.length + matched,
    faults: [...(faults.get(list.name) ?? []), ...systemFaults(list, asDatabase)],
  };
}

/** The user's own lists, the infrastructure classes and the sample feed, in memory; files are watched for change. */
export function openLocalLists(settings: LocalListSettings): SystemLists {
  const listeners: (() => void)[] = [];
  const { asDatabase = null } = settings;
  let current = load(settings);
  const tellAll = () => {
    for (const listener of listeners) listener();
  };
  const reload = () => {
    current = load(settings);
    tellAll();
  };
  const reloadNumbers = () => {
    asDatabase?.refresh();
    tellAll();
  };
  const watched = settings.watches
    ? [...settings.lists, ...settings.allowLists, ...(settings.warningLists ?? []), ...(settings.falsePositiveLists ?? [])]
    : [];
  for (const path of watched) watchFile(path, { interval: WATCH_MS, persistent: false }, reload);
  if (settings.watches && asDatabase !== null) watchFile(asDatabase.path, { interval: WATCH_MS, persistent: false }, reloadNumbers);

  return {
    lookup(indicator) {
      const entry = current.known.tree.match(indicator);
      const warning = current.warnings.lookup(indicator);
      // A list that clears a host says nothing of each page on it; one that accuses it does.
      if (!entry || (entry.verdict.verdict === 'clean' && !isAbout(entry.value, indicator.value))) return warning;
      return warning ? { ...entry.verdict, attributes: [...new Set([...entry.verdict.attributes, ...warning.attributes])] } : entry.verdict;
    },
    allowance(indicator) {
      if (current.allowLists.length === 0) return null;
      const entry = current.allowed.tree.match(indicator);
      return entry ? allowanceBy(entry) : null;
    },
    isNamed(indicator) {
      const entry = current.known.tree.match(indicator);
      return entry !== undefined && !current.builtInEntries.has(entry);
    },
    lookupSystem(ask) {
      const system = findSystem(current.systems.known, ask);
      // As of a network: that it is clean says nothing of each address in it.
      return system === null || system.verdict.verdict === 'clean' ? null : system.verdict;
    },
    allowanceOfSystem(ask) {
      const system = findSystem(current.systems.allowed, ask);
      return system === null ? null : allowanceBy(system);
    },
    onChange: (listener) => void listeners.push(listener),
    stats: () => ({
      lists: [
        ...current.lists.map((list) => statsOf(list, '', current.known.faults, asDatabase)),
        ...current.allowLists.map((list) => statsOf(list, 'allow:', current.allowed.faults, asDatabase)),
        ...current.warnings.stats(),
      ],
    }),
    close() {
      for (const path of watched) unwatchFile(path, reload);
      if (asDatabase !== null) unwatchFile(asDatabase.path, reloadNumbers);
    },
  };
}

function allowanceBy({ value, note }: ListEntry): string {
  return `${value}${note ? ` (${note})` : ''}`;
}

function isAbout(listed: string, value: string): boolean {
  const parsed = parseIndicator(listed);
  return parsed.kind !== 'invalid' && parsed.indicator.value === value;
}
