// src/compose/lists/: what is known without asking anybody.
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { basename } from 'node:path';
import type { LocalSource } from '../../engine/privacy/local-source.ts';
import { parseIndicator } from '../../model/parse-indicator.ts';
import { buildPrefixTree, type PrefixTree } from '../../model/tables/prefix-tree.ts';
import type { ListEntry } from '../../providers/local/list-entry.ts';
import { infrastructureEntries } from '../../providers/local/local-infrastructure.ts';
import { parseList } from '../../providers/local/local-list.ts';
import { openWarningLists } from '../infrastructure/warning-lists.ts';
import { readUnicode } from '../../model/formats/text-encoding.ts';

/** How often a list file is looked at for changes, in milliseconds. */
const WATCH_MS = 2000;

export interface LocalListSettings {
  readonly lists: readonly string[];
  readonly allowLists: readonly string[];
  /** Warning lists in MISP's format, and those whose members cap what others say. */
  readonly warningLists?: readonly string[];
  readonly falsePositiveLists?: readonly string[];
  /** The sample feed, where it answers, marked as sample. */
  readonly sample: string | null;
  /** Whether files are read anew when they change: for programs that stay. */
  readonly watches: boolean;
}

interface LoadedList {
  readonly name: string;
  readonly entries: readonly ListEntry[];
  readonly faults: readonly string[];
}

function readList(path: string): LoadedList {
  const name = basename(path);
  try {
    return { name, ...parseList(name, readUnicode(readFileSync(path))) };
  } catch (error) {
    return {
      name,
      entries: [],
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

/** The user's own lists, the infrastructure classes and the sample feed, in memory; files are watched for change. */
export function openLocalLists(settings: LocalListSettings): LocalSource {
  const listeners: (() => void)[] = [];
  const load = () => {
    const builtIn: LoadedList[] = [{ name: 'infrastructure', entries: infrastructureEntries(), faults: [] }];
    if (settings.sample !== null) builtIn.push({ name: 'sample', ...parseList('sample', settings.sample, ['sample']) });
    // Later entries win: the customer's own lists know best.
    const lists = [...builtIn, ...settings.lists.map(readList)];
    const allowLists = settings.allowLists.map(readList);
    const warnings = openWarningLists(settings.warningLists ?? [], settings.falsePositiveLists ?? []);
    return { lists, allowLists, known: build(lists), allowed: build(allowLists), warnings };
  };
  let current = load();
  const reload = () => {
    current = load();
    for (const listener of listeners) listener();
  };
  const watched = settings.watches
    ? [...settings.lists, ...settings.allowLists, ...(settings.warningLists ?? []), ...(settings.falsePositiveLists ?? [])]
    : [];
  for (const path of watched) watchFile(path, { interval: WATCH_MS, persistent: false }, reload);

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
      return entry ? `${entry.value}${entry.note ? ` (${entry.note})` : ''}` : null;
    },
    onChange: (listener) => void listeners.push(listener),
    stats: () => ({
      lists: [
        ...current.lists.map(({ name, entries }) => ({ name, entries: entries.length, faults: current.known.faults.get(name) ?? [] })),
        ...current.allowLists.map(({ name, entries }) => ({
          name: `allow:${name}`,
          entries: entries.length,
          faults: current.allowed.faults.get(name) ?? [],
        })),
        ...current.warnings.stats(),
      ],
    }),
    close() {
      for (const path of watched) unwatchFile(path, reload);
    },
  };
}

function isAbout(listed: string, value: string): boolean {
  const parsed = parseIndicator(listed);
  return parsed.kind !== 'invalid' && parsed.indicator.value === value;
}
