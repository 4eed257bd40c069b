import { parseAggregations, stats, timechart } from './aggregations.ts';
import { parseAssignments, parseExpression } from './expression.ts';
import { collect, inputlookup, lookup, outputlookup } from './lookup-commands.ts';
import { parseFilter } from './search-filter.ts';
import type { Command } from './spl-world.ts';
import { compare, fromTexts, type Row, type Value, valuesOf, wildcard } from './values.ts';

/** Splunk's own commands, as far as the app uses them. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  search: (rows, args) => rows.filter(parseFilter(args)),
  where: (rows, args, { nowS }) => {
    const test = parseExpression(args);
    return rows.filter((row) => test(row, nowS) === true);
  },
  eval: (rows, args, { nowS }) => {
    const assignments = parseAssignments(args);
    return rows.map((row) => assignments.reduce<Row>((made, [name, expression]) => put(made, name, expression(made, nowS)), row));
  },
  stats: (rows, args, { nowS }) => stats(args, rows, nowS),
  timechart: (rows, args, { nowS }) => timechart(args, rows, nowS),
  table: (rows, args) => rows.map((row) => pick(row, args)),
  fields: (rows, args) => fields(rows, args),
  rename: (rows, args) => rows.map((row) => rename(row, args)),
  sort: (rows, args) => sort(rows, args),
  head: (rows, args) => rows.slice(0, Number(args || 10)),
  dedup: (rows, args) => {
    const names = namesOf(args);
    return [...new Map(rows.toReversed().map((row) => [JSON.stringify(names.map((name) => row[name])), row])).values()].toReversed();
  },
  mvexpand: (rows, args) => mvexpand(rows, args),
  makemv: (rows, args) => makemv(rows, args),
  fillnull: (rows, args) => fillnull(rows, args),
  addinfo: (rows, _args, { range }) =>
    rows.map((row) => ({ ...row, info_min_time: range?.minS ?? 0, info_max_time: range?.maxS ?? '+Infinity' })),
  makeresults: (_rows, args, { nowS }) => Array.from({ length: Number(/count=(\d+)/.exec(args)?.[1] ?? 1) }, () => ({ _time: nowS })),
  streamstats: (rows, args, { nowS }) => streamstats(rows, args, nowS),
  rest: (_rows, args, { rest }) => {
    const path = args.split(/\s/).find((word) => word.startsWith('/')) ?? '';
    const found = rest?.[path];
    if (found === undefined) throw new Error(`rest: nothing is said about ${path}`);
    return [...found];
  },
  inputlookup,
  outputlookup,
  lookup,
  collect,
};

function put(row: Row, name: string, value: Value): Row {
  const { [name]: _before, ...others } = row;
  return value === null ? others : { ...others, [name]: value };
}

function namesOf(args: string): string[] {
  return (args.match(/"[^"]*"|[^\s,]+/g) ?? []).map((name) => name.replaceAll('"', ''));
}

function pick(row: Row, args: string): Row {
  const names = namesOf(args).flatMap((name) => (name.includes('*') ? Object.keys(row).filter((one) => wildcard(name).test(one)) : name));
  return Object.fromEntries(names.flatMap((name) => ((row[name] ?? null) === null ? [] : [[name, row[name] as Value]])));
}

function fields(rows: readonly Row[], args: string): Row[] {
  const [, sign = '+', list = ''] = /^([+-]?)\s*([^]*)$/.exec(args) ?? [];
  // Fields that begin with "_" stay unless they are named.
  if (sign !== '-')
    return rows.map((row) => ({ ...Object.fromEntries(Object.entries(row).filter(([name]) => name.startsWith('_'))), ...pick(row, list) }));
  const gone = namesOf(list).map((name) => wildcard(name));
  return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !gone.some((pattern) => pattern.test(name)))));
}

function rename(row: Row, args: string): Row {
  let renamed = row;
  for (const [, from = '', to = ''] of args.matchAll(/("[^"]+"|[^\s,]+)\s+AS\s+("[^"]+"|[^\s,]+)/gi)) {
    const [pattern, target] = [wildcard(from.replaceAll('"', '')), to.replaceAll('"', '')];
    const entries = Object.entries(renamed).map(([name, value]) => [
      pattern.test(name) ? target.replace('*', pattern.exec(name)?.[1] ?? '') : name,
      value,
    ]);
    renamed = Object.fromEntries(entries) as Row;
  }
  return renamed;
}

/** `sort 100 - a b`, `sort 0 _time`, `sort - n`: a sign with a blank behind it holds for all that follows; without a number, 10,000 rows stay. */
function sort(rows: readonly Row[], args: string): Row[] {
  const [, limit = '10000', list = ''] = /^(\d+(?=\s|$))?\s*([^]*)$/.exec(args) ?? [];
  let sign = 1;
  const keys: { readonly name: string; readonly sign: number }[] = [];
  for (const word of list.match(/[+-]|[^\s,+-][^\s,]*/g) ?? []) {
    if (word === '-' || word === '+') sign = word === '-' ? -1 : 1;
    else keys.push({ name: word, sign });
  }
  const sorted = rows.toSorted(
    (a, b) => keys.map((key) => key.sign * compare(a[key.name] ?? null, b[key.name] ?? null)).find((order) => order !== 0) ?? 0,
  );
  return Number(limit) === 0 ? sorted : sorted.slice(0, Number(limit));
}

function mvexpand(rows: readonly Row[], args: string): Row[] {
  const [name = '', ...options] = args.split(/\s+/);
  const limit = Number(/limit=(\d+)/.exec(options.join(' '))?.[1] ?? 0) || Infinity;
  return rows.flatMap((row) => {
    const values = valuesOf(row[name]);
    return values.length === 0 ? [row] : values.slice(0, limit).map((value) => ({ ...row, [name]: value }));
  });
}

function makemv(rows: readonly Row[], args: string): Row[] {
  const [, by = ',', name = ''] = /^delim="([^"]*)"\s+(\w+)$/.exec(args) ?? [];
  return rows.map((row) => (name in row ? put(row, name, fromTexts(valuesOf(row[name]).flatMap((text) => text.split(by)))) : row));
}

function fillnull(rows: readonly Row[], args: string): Row[] {
  const [, quoted, bare, list = ''] = /^(?:value=(?:"([^"]*)"|(\S+))\s*)?([^]*)$/.exec(args) ?? [];
  const names = namesOf(list).length > 0 ? namesOf(list) : [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const value = quoted ?? bare ?? '0';
  return rows.map((row) => ({ ...Object.fromEntries(names.map((name) => [name, value])), ...row }));
}

/** `streamstats current=f last(x) AS y BY a b`: of the rows before this one. */
function streamstats(rows: readonly Row[], args: string, nowS: number): Row[] {
  const [, spec = '', by = ''] = /^current=f\s+([^]*?)(?:\s+BY\s+([^]*))?$/i.exec(args) ?? [];
  const [aggregation] = parseAggregations(spec);
  if (aggregation === undefined) throw new Error('streamstats: only current=f is known here');
  const seen = new Map<string, Row[]>();
  return rows.map((row) => {
    const key = JSON.stringify(namesOf(by).map((name) => row[name] ?? null));
    const before = seen.get(key) ?? [];
    seen.set(key, [...before, row]);
    return { ...row, ...stats(spec, before, nowS)[0] };
  });
}
