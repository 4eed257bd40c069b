import { createHash } from 'node:crypto';
import type { SplWorld } from './spl-world.ts';
import { type Row, textOf } from './values.ts';

function tableOf({ lookups }: SplWorld, name: string): Row[] {
  const table = lookups.get(name);
  if (table === undefined) throw new Error(`there is no lookup ${name}`);
  return table;
}

/** `| inputlookup name`. */
export function inputlookup(rows: readonly Row[], args: string, world: SplWorld): Row[] {
  const words = args.split(/\s+/);
  const found = tableOf(world, words.find((word) => !word.includes('=')) ?? '');
  return words.includes('append=true') ? [...rows, ...found] : [...found];
}

/** `| outputlookup name`: the whole table anew, or with `append=true` row by row by `_key`. The rows go on as they are. */
export function outputlookup(rows: readonly Row[], args: string, world: SplWorld): Row[] {
  const words = args.split(/\s+/);
  const name = words.find((word) => !word.includes('=')) ?? '';
  const isKept = words.includes('append=true') || (rows.length === 0 && words.includes('override_if_empty=false'));
  const table = new Map((isKept ? tableOf(world, name) : []).map((row) => [textOf(row['_key'] ?? null), row]));
  for (const row of rows) {
    const key = textOf(row['_key'] ?? null) || createHash('sha1').update(JSON.stringify(row)).digest('hex');
    // A row that is written takes the place of the one before, whole.
    table.set(key, { ...row, _key: key });
  }
  world.lookups.set(name, [...table.values()]);
  return [...rows];
}

/** `| lookup [local=true] name field [AS event_field] OUTPUT|OUTPUTNEW a [AS b] …`. */
export function lookup(rows: readonly Row[], args: string, world: SplWorld): Row[] {
  const [, name = '', input = '', how = 'OUTPUT', output = ''] =
    /^(?:local=\w+\s+)?(\w+)\s+([^]*?)(?:\s+(OUTPUT|OUTPUTNEW)\s+([^]*))?$/.exec(args) ?? [];
  const pairs = (text: string) =>
    [...text.matchAll(/(\w+)(?:\s+AS\s+(\w+))?/gi)].map(([, column = '', alias]) => [column, alias ?? column] as const);
  const [[column = '', field = ''] = []] = pairs(input);
  const table = tableOf(world, name);
  return rows.map((row) => {
    const wanted = row[field];
    const found = wanted === undefined || wanted === null ? undefined : table.find((one) => textOf(one[column] ?? null) === textOf(wanted));
    const cells = pairs(output).map(([from, to]) => [to, found?.[from] ?? null] as const);
    if (how === 'OUTPUTNEW') return { ...row, ...Object.fromEntries(cells.filter(([to, value]) => value !== null && !(to in row))) };
    const others = Object.fromEntries(Object.entries(row).filter(([one]) => !cells.some(([to]) => to === one)));
    return { ...others, ...Object.fromEntries(cells.filter(([, value]) => value !== null)) };
  });
}

/** `| collect index=name source=…`: into the summary index. */
export function collect(rows: readonly Row[], args: string, { collected }: SplWorld): Row[] {
  const [, index = ''] = /index=(\w+)/.exec(args) ?? [];
  if (index === '') throw new Error('collect: no index is named');
  const source = /source="([^"]*)"/.exec(args)?.[1] ?? '';
  collected.set(index, [...(collected.get(index) ?? []), ...rows.map((row) => ({ ...row, source }))]);
  return [...rows];
}
