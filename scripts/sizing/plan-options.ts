import { parseArgs } from 'node:util';
import { EVENT_US, type Plan } from './capacity.ts';

/** An option with a number: its default (`null`: none), its range, and what it is. */
type NumberOption = readonly [name: string, fallback: number | null, least: number, most: number, words: string];

const NUMBERS: readonly NumberOption[] = [
  ['events-per-day', 1e8, 1, 1e13, 'events a day'],
  ['unique-per-day', 1e6, 1, 1e10, 'different values a day'],
  ['values-per-event', 1, 0.01, 1000, 'values looked up in an event'],
  ['peak', 3, 1, 1000, 'the busiest minute beside the mean one'],
  ['cores', 2, 1, 1024, 'cores of a sidecar'],
  ['replicas', null, 1, 1000, 'sidecars (default: as many as the cores need, at most half busy)'],
  ['memory-entries', 500_000, 1000, 1e9, 'cache.memory_entries'],
  ['listed', 0.05, 0, 1, 'share of the values that the provider lists'],
  ['listed-ttl', 86_400, 1, 1e9, 'cache.listed_ttl_s'],
  ['unknown-ttl', 21_600, 1, 1e9, 'cache.unknown_ttl_s'],
  ['price', 1, 0, 1e6, 'what 1,000 values cost that are asked for'],
  ['per-minute', null, 1, 1e9, 'values the provider answers a minute (default: no limit)'],
  ['per-day', null, 1, 1e12, 'values the provider answers a day (default: no limit)'],
  ['memory-mb', 1024, 64, 1e7, 'memory of a sidecar'],
  ['redis-mb', null, 1, 1e9, 'memory of Redis (default: no limit)'],
  ['disk-gb', null, 0.01, 1e9, 'disk of a sidecar (default: no limit)'],
];

/** What a user asked for. */
export interface Asked {
  readonly plan: Plan;
  readonly exponents: readonly number[];
  readonly json: boolean;
  /** How much smaller a real run is to be that checks the figures; `null`: none. */
  readonly checkScale: number | null;
}

/** An argument that cannot be. */
export class OptionError extends Error {
  override readonly name = 'OptionError';
}

/** Reads the arguments. Throws an `OptionError` that names the wrong one and says what may stand there. */
export function readPlan(args: readonly string[]): Asked {
  const values = parse(args);
  const numbers = new Map(NUMBERS.map((option) => [option[0], numberOf(option, values.get(option[0]))]));
  const way = values.get('by') ?? 'batches';
  if (!isWay(way)) throw new OptionError(`--by ${way}: it is one of ${Object.keys(EVENT_US).join(', ')}`);
  const given = (name: string) => numbers.get(name) ?? null;
  const needed = (name: string) => numbers.get(name) ?? 0;
  const plan: Plan = {
    eventsPerDay: needed('events-per-day'),
    uniquePerDay: needed('unique-per-day'),
    valuesPerEvent: needed('values-per-event'),
    peak: needed('peak'),
    way,
    cores: needed('cores'),
    replicas: given('replicas'),
    memoryEntries: needed('memory-entries'),
    listed: needed('listed'),
    listedTtlS: needed('listed-ttl'),
    unknownTtlS: needed('unknown-ttl'),
    pricePerThousand: needed('price'),
    perMinute: given('per-minute'),
    perDay: given('per-day'),
    memoryMb: needed('memory-mb'),
    redisMb: given('redis-mb'),
    diskGb: given('disk-gb'),
  };
  if (plan.uniquePerDay > plan.eventsPerDay * plan.valuesPerEvent)
    throw new OptionError('--unique-per-day: more different values than look-ups; it is at most --events-per-day times --values-per-event');
  const exponents = (values.get('exponent') ?? '0.6,0.8,1,1.2').split(',').map((text) => numberOf(['exponent', null, 0, 3, ''], text) ?? 0);
  const checkScale = values.has('check') ? (numberOf(['check', 1000, 1, 1e9, ''], values.get('check')) ?? 1000) : null;
  return { plan, exponents, json: values.has('json'), checkScale };
}

/** The options, one a line. */
export function optionLines(): string[] {
  const numbers = NUMBERS.map(([name, fallback, , , words]) => [
    `--${name} N`,
    fallback === null ? words : `${words} (default ${fallback})`,
  ]);
  const others = [
    ['--exponent N,…', 'of Zipf’s law (default 0.6,0.8,1,1.2); 0: all values come alike'],
    ['--by WAY', `how events arrive: ${Object.keys(EVENT_US).join(', ')} (default batches)`],
    ['--check N', 'look up an N-th of a day with the real engine as well, and compare (1000: a thousandth)'],
    ['--json', 'one JSON line for each exponent'],
  ];
  return [...numbers, ...others].map(([option = '', words = '']) => `  ${option.padEnd(24)}${words}`);
}

function parse(args: readonly string[]): ReadonlyMap<string, string> {
  const text = { type: 'string' } as const;
  const names = [...NUMBERS.map(([name]) => name), 'exponent', 'by', 'check'];
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { ...Object.fromEntries(names.map((name) => [name, text])), json: { type: 'boolean' } },
      strict: true,
    });
    return new Map(Object.entries(values).map(([name, value]) => [name, String(value)]));
  } catch (error) {
    throw new OptionError((error as Error).message, { cause: error });
  }
}

function numberOf([name, fallback, least, most]: NumberOption, text: string | undefined): number | null {
  if (text === undefined) return fallback;
  const value = Number(text.trim() === '' ? 'none' : text);
  if (!(value >= least && value <= most)) throw new OptionError(`--${name} ${text}: it is a number from ${least} to ${most}, such as 5e6`);
  return value;
}

function isWay(word: string): word is keyof typeof EVENT_US {
  return Object.hasOwn(EVENT_US, word);
}
