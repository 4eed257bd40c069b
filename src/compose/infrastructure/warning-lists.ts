import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { INDICATOR_TYPES, type Indicator, type IndicatorType } from '../../model/indicator.ts';
import { buildPrefixTree, type PrefixEntry, type PrefixTree } from '../../model/tables/prefix-tree.ts';
import { buildSubstringFinder, type SubstringFinder } from '../../model/tables/substring-finder.ts';
import type { Verdict } from '../../model/verdict.ts';
import { verdictOf } from '../../providers/reading/verdict-facts.ts';
import { parseWarningList, type WarningList } from '../../providers/local/warning-list.ts';
import { readUnicode } from '../../model/formats/text-encoding.ts';

/** Longer values are matched by their beginning. */
const MAX_CHARS = 2048;
const MAX_FAULTS = 20;

/** What warning lists say of a value: what it is, never whether it is bad. */
export interface WarningLists {
  /** The words of the lists it is on, as a verdict without a score; `null`: on none. */
  lookup(indicator: Indicator): Verdict | null;
  stats(): readonly { readonly name: string; readonly entries: number; readonly faults: readonly string[] }[];
}

interface LoadedList extends WarningList {
  /** Whether being on it caps what others say. */
  readonly caps: boolean;
  readonly verdict: Verdict;
  /** For URLs and e-mail addresses: their host is on the list, which says little of the page. */
  readonly verdictOnHost: Verdict;
}

/** Reads warning lists: files in MISP's format, or folders of such (`<name>/list.json`). `capping`: those whose members are false positives. */
export function openWarningLists(paths: readonly string[], capping: readonly string[]): WarningLists {
  const faults = new Map<string, string[]>();
  const lists = [...paths.flatMap((path) => load(path, false, faults)), ...capping.flatMap((path) => load(path, true, faults))];
  // Those that cap are looked into apart, so that none is hidden behind a narrower entry of another.
  const parts = [lists.filter(({ caps }) => caps), lists.filter(({ caps }) => !caps)]
    .filter((some) => some.length > 0)
    .map((some) => ({ tree: treeOf(some), insides: insidesOf(some, faults) }));
  return {
    lookup(indicator) {
      let said: Verdict | null = null;
      for (const { tree, insides } of parts) {
        const list = tree.match(indicator);
        if (list?.types.has(indicator.type)) said = joined(said, verdictFor(list, indicator));
        const inside = insides.get(indicator.type);
        if (!inside) continue;
        const found = inside.lists[inside.substrings.find(indicator.value)];
        if (found) said = joined(said, verdictFor(found, indicator));
        for (const one of inside.expressions) if (isMatch(one, indicator)) said = joined(said, verdictFor(one, indicator));
      }
      return said;
    },
    stats: () => [
      ...lists.map((list) => ({
        name: `warning:${list.name}`,
        entries: list.patterns.length + list.substrings.length + list.expressions.length,
        faults: list.faults,
      })),
      ...Array.from(faults, ([name, told]) => ({ name: `warning:${name}`, entries: 0, faults: told })),
    ],
  };
}

/** The files that reading a list from `path` looks at: itself, and what is or may be in it. */
export function warningListFiles(path: string): string[] {
  return [path, ...(statSync(path, { throwIfNoEntry: false })?.isDirectory() ? filesIn(path) : [])];
}

function filesIn(folder: string): string[] {
  return readdirSync(folder).map((name) => (name.endsWith('.json') ? join(folder, name) : join(folder, name, 'list.json')));
}

function load(path: string, isCapping: boolean, faults: Map<string, string[]>): LoadedList[] {
  try {
    if (statSync(path).isDirectory())
      return filesIn(path)
        .filter((file) => existsSync(file))
        .flatMap((file) => load(file, isCapping, faults));
    const list = parseWarningList(readUnicode(readFileSync(path)));
    if (list) return [withVerdicts(list, isCapping)];
    faults.set(path, [`${path}: is not a warning list in MISP's format`]);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    faults.set(path, [`${path}: cannot be read (${code}): check the path and its permissions`]);
  }
  return [];
}

function withVerdicts(list: WarningList, isCapping: boolean): LoadedList {
  const caps = isCapping || list.isFalsePositive;
  const verdictOnHost = verdictOf('local', { attributes: [list.attribute] });
  return {
    ...list,
    caps,
    verdictOnHost,
    verdict: caps ? verdictOf('local', { attributes: [list.attribute, 'allowlist'] }) : verdictOnHost,
  };
}

function* entriesOf(lists: readonly LoadedList[]): Generator<PrefixEntry<LoadedList>> {
  for (const value of lists) for (const pattern of value.patterns) yield { pattern, value };
}

function treeOf(lists: readonly LoadedList[]): PrefixTree<LoadedList> {
  // Lists of the world hold a few odd entries (bare top-level names, e-mail fragments): they match nothing.
  return buildPrefixTree(entriesOf(lists)).tree;
}

/** What is looked for inside a value of one type. */
interface Inside {
  readonly lists: readonly LoadedList[];
  readonly substrings: SubstringFinder;
  readonly expressions: readonly LoadedList[];
}

function insidesOf(all: readonly LoadedList[], faults: Map<string, string[]>): Map<IndicatorType, Inside> {
  const insides = new Map<IndicatorType, Inside>();
  for (const type of INDICATOR_TYPES) {
    const lists = all.filter(({ types, substrings, expressions }) => types.has(type) && substrings.length + expressions.length > 0);
    if (lists.length === 0) continue;
    const entries = lists.flatMap((list, entry) => list.substrings.map((text) => ({ text, entry })));
    const { finder, refused } = buildSubstringFinder(entries);
    const told = refused.slice(0, MAX_FAULTS).map((at) => `${entries[at]?.text.slice(0, 60)}: has characters that no indicator has`);
    if (told.length > 0) faults.set('substrings', told);
    insides.set(type, { lists, substrings: finder, expressions: lists.filter(({ expressions }) => expressions.length > 0) });
  }
  return insides;
}

function verdictFor(list: LoadedList, { type }: Indicator): Verdict {
  return type === 'url' || type === 'email-addr' ? list.verdictOnHost : list.verdict;
}

function isMatch({ expressions }: LoadedList, { value }: Indicator): boolean {
  return expressions.some((expression) => expression.test(value.slice(0, MAX_CHARS)));
}

function joined(one: Verdict | null, other: Verdict): Verdict {
  if (one === null || one === other) return other;
  return { ...one, attributes: [...new Set([...one.attributes, ...other.attributes])] };
}
