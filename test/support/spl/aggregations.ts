import { parseExpression } from './expression.ts';
import { compare, fromTexts, numberOf, type Row, textOf, type Value, valuesOf, wildcard } from './values.ts';

/** One column of `stats`. */
interface Aggregation {
  readonly call: string;
  readonly field: string;
  readonly as: string;
}

type Work = (values: readonly Value[]) => Value;

const numbersOf = (values: readonly Value[]) => values.flatMap((value) => numberOf(value) ?? []);

/** Aggregations over the values of a group that are there, in the order of the rows. */
const WORKS: Readonly<Record<string, Work>> = {
  count: (values) => values.length,
  dc: (values) => new Set(values.flatMap(valuesOf)).size,
  sum: (values) => (numbersOf(values).length === 0 ? null : numbersOf(values).reduce((sum, one) => sum + one, 0)),
  avg: (values) =>
    numbersOf(values).length === 0 ? null : numbersOf(values).reduce((sum, one) => sum + one, 0) / numbersOf(values).length,
  min: (values) => values.toSorted(compare)[0] ?? null,
  max: (values) => values.toSorted(compare).at(-1) ?? null,
  first: (values) => values[0] ?? null,
  last: (values) => values.at(-1) ?? null,
  values: (values) => fromTexts([...new Set(values.flatMap(valuesOf))].toSorted()),
  list: (values) => fromTexts(values.flatMap(valuesOf)),
};

/** `stats`: one row for each group; a row without a value in one of the BY fields is in no group, as in Splunk. */
export function stats(text: string, rows: readonly Row[], nowS: number): Row[] {
  const [, spec = '', by = ''] = /^([^]*?)(?:\s+BY\s+([^]*))?$/i.exec(text) ?? [];
  const fields = by.split(/[\s,]+/).filter((name) => name !== '');
  const wanted = parseAggregations(spec);
  if (fields.length === 0) return [aggregate(wanted, rows, nowS)];
  const groups = new Map<string, { key: Row; members: Row[] }>();
  for (const row of rows) {
    for (const key of keysOf(row, fields)) {
      const name = JSON.stringify(key);
      const group = groups.get(name) ?? { key, members: [] };
      group.members.push(row);
      groups.set(name, group);
    }
  }
  const sorted = [...groups.values()].toSorted(
    (a, b) => fields.map((name) => compare(a.key[name] ?? null, b.key[name] ?? null)).find((order) => order !== 0) ?? 0,
  );
  return sorted.map(({ key, members }) => ({ ...key, ...aggregate(wanted, members, nowS) }));
}

function keysOf(row: Row, fields: readonly string[]): Row[] {
  return fields.reduce<Row[]>((keys, name) => keys.flatMap((key) => valuesOf(row[name]).map((value) => ({ ...key, [name]: value }))), [{}]);
}

/** `count`, `min(_time) AS first_event`, `first(im_*) AS im_*`, `sum(eval(…)) AS n`. */
export function parseAggregations(text: string): Aggregation[] {
  const found: Aggregation[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const name = /^[a-z]+/i.exec(rest)?.[0];
    if (name === undefined) throw new Error(`stats: cannot read "${rest}"`);
    rest = rest.slice(name.length);
    let field = '';
    if (rest.startsWith('(')) {
      const end = closing(rest);
      field = rest.slice(1, end).trim();
      rest = rest.slice(end + 1);
    }
    const alias = /^\s+AS\s+("[^"]*"|[\w.*]+)/i.exec(rest);
    if (alias) rest = rest.slice(alias[0].length);
    found.push({ call: name.toLowerCase(), field, as: alias?.[1]?.replaceAll('"', '') ?? (field === '' ? name : `${name}(${field})`) });
    rest = rest.replace(/^[\s,]+/, '');
  }
  return found;
}

function closing(text: string): number {
  let [depth, isQuoted] = [0, false];
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === '"' && text[at - 1] !== '\\') isQuoted = !isQuoted;
    if (isQuoted) continue;
    if (letter === '(') depth++;
    if (letter === ')' && --depth === 0) return at;
  }
  throw new Error(`stats: a parenthesis is not closed in ${text}`);
}

/** The aggregations of one group. */
export function aggregate(wanted: readonly Aggregation[], rows: readonly Row[], nowS: number): Row {
  const found: Record<string, Value> = {};
  for (const { call, field, as } of wanted) {
    if (field.includes('*')) {
      const pattern = wildcard(field);
      const names = new Set(rows.flatMap((row) => Object.keys(row)).filter((name) => pattern.test(name)));
      for (const name of names) put(found, as.replace('*', pattern.exec(name)?.[1] ?? ''), valueOf(call, name, rows, nowS));
    } else put(found, as, valueOf(call, field, rows, nowS));
  }
  return found;
}

function put(row: Record<string, Value>, name: string, value: Value): void {
  if (value !== null) row[name] = value;
}

function valueOf(call: string, field: string, rows: readonly Row[], nowS: number): Value {
  const isLatest = call === 'latest' || call === 'earliest';
  const ordered = isLatest ? rows.toSorted((a, b) => compare(a['_time'] ?? null, b['_time'] ?? null)) : rows;
  const work = WORKS[isLatest ? (call === 'latest' ? 'last' : 'first') : call === 'c' ? 'count' : call];
  if (work === undefined) throw new Error(`stats: ${call}() is not known here`);
  if (field === '') return work(rows.map(() => 1));
  const [, expression] = /^eval\(([^]*)\)$/.exec(field) ?? [];
  const read =
    expression === undefined
      ? (row: Row) => row[field] ?? null
      : (
          (compiled) => (row: Row) =>
            compiled(row, nowS)
        )(parseExpression(expression));
  // `count(eval(test))` counts the rows for which it is true.
  return work(ordered.map(read).filter((value) => value !== null && !(call === 'count' && value === false)));
}

/** `timechart span=1d count BY field`, without rows for spans in which nothing happened. */
export function timechart(text: string, rows: readonly Row[], nowS: number): Row[] {
  const [, options = '', spec = '', by] = /^((?:\w+=\S+\s+)*)([^]*?)(?:\s+BY\s+(\w+))?$/i.exec(text.trim()) ?? [];
  const [, count = '1', unit = 'd'] = /span=(\d*)([smhdw])/.exec(options) ?? [];
  const step = Number(count || 1) * ({ s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }[unit] ?? 1);
  const bucketed = rows.map((row) => ({ ...row, _time: Math.floor((numberOf(row['_time'] ?? null) ?? 0) / step) * step }));
  const [aggregation] = parseAggregations(spec);
  if (aggregation === undefined) throw new Error('timechart: nothing to count');
  const spans = Map.groupBy(bucketed, ({ _time: at }) => at);
  return [...spans]
    .toSorted(([a], [b]) => a - b)
    .map(([at, members]) => {
      if (by === undefined) return { _time: at, ...aggregate([aggregation], members, nowS) };
      const series = Map.groupBy(members, (row: Row) => textOf(row[by] ?? null) || 'NULL');
      const cells = [...series].map(([name, group]) => [name, Object.values(aggregate([aggregation], group, nowS))[0] ?? null] as const);
      return { _time: at, ...Object.fromEntries(cells) };
    });
}
