import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Plan, type Sizing, sizeOf } from '../sizing/capacity.ts';
import { readPlan } from '../sizing/plan-options.ts';
import { writeOrCheck } from './generated-file.ts';

/** Where the table stands, from the project's root. */
export const SIZING_DOC = 'docs/operations.md';

const [BEGIN, END] = ['<!-- sizing: made by scripts/generate/sizing-doc.ts -->', '<!-- sizing ends -->'];
const DAY_S = 86_400;
const EXPONENT = 1;
/** Events a second, and different values a day. */
const ROWS: readonly (readonly [eventsPerS: number, uniquePerDay: number])[] = [
  [100, 20_000],
  [1000, 200_000],
  [5000, 1_000_000],
  [11_574, 5_000_000],
  [50_000, 10_000_000],
];

/** A page with the table as it is reckoned now. Throws where the page has no place for it. */
export function withSizing(page: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${SIZING_DOC} has no ${BEGIN} … ${END}`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${tableLines().join('\n')}\n\n${page.slice(end)}`;
}

function tableLines(): string[] {
  const head = [
    'events/s',
    'different values/day',
    'sidecars × cores',
    'memory each',
    'disk each',
    'Redis',
    'memory answers',
    'values asked for/day',
    'cost/day',
    'fullest at the peak',
  ];
  return [head, head.map(() => '---'), ...ROWS.map(rowOf)].map((cells) => `| ${cells.join(' | ')} |`);
}

function rowOf([eventsPerS, uniquePerDay]: (typeof ROWS)[number]): string[] {
  const { plan } = readPlan(['--events-per-day', String(eventsPerS * DAY_S), '--unique-per-day', String(uniquePerDay)]);
  const sizing = sizeOf(plan, EXPONENT);
  if (sizing === null) throw new Error(`no such load: ${eventsPerS} events/s, ${uniquePerDay} different values`);
  return [rounded(eventsPerS), rounded(uniquePerDay), ...cellsOf(plan, sizing)];
}

function cellsOf({ cores }: Plan, { replicas, memoryMb, diskGb, redisMb, memory, callsPerDay, costPerDay, used }: Sizing): string[] {
  const [fullest] = used;
  return [
    `${replicas} × ${cores}`,
    `${rounded(memoryMb)} MB`,
    `${rounded(diskGb * 1000)} MB`,
    `${rounded(redisMb)} MB`,
    `${Math.round(memory * 1000) / 10} %`,
    rounded(callsPerDay),
    rounded(costPerDay),
    fullest === undefined ? '–' : `${fullest.part}, ${Math.round(fullest.share * 100)} %`,
  ];
}

/** Two figures that count, in groups of three. */
function rounded(value: number): string {
  return Number(value.toPrecision(2)).toLocaleString('en-US');
}

if (import.meta.main)
  writeOrCheck(new Map([[SIZING_DOC, withSizing(readFileSync(join(import.meta.dirname, '../..', SIZING_DOC), 'utf8'))]]));
