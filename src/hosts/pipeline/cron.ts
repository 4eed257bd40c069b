const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** After 400 years the calendar, weekdays included, is the same again: a day that is not found in them never comes. */
const MAX_DAYS = 146_097;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const NICKNAMES: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

interface Field {
  readonly what: string;
  readonly least: number;
  readonly most: number;
  /** Names of values, from `least` on. */
  readonly names?: readonly string[];
}

const FIELDS: readonly Field[] = [
  { what: 'minute', least: 0, most: 59 },
  { what: 'hour', least: 0, most: 23 },
  { what: 'day of the month', least: 1, most: 31 },
  { what: 'month', least: 1, most: 12, names: MONTHS },
  // 7 is Sunday too.
  { what: 'day of the week', least: 0, most: 7, names: WEEKDAYS },
];

/** A point in time after `afterMs` (milliseconds since 1970). */
export type NextTime = (afterMs: number) => number;

/**
 * Reads a cron expression of five fields (minute, hour, day of the month, month, day of the week; `*`, lists, ranges, steps, English names,
 * `@daily` and the like) as times in UTC. As in cron, a day counts when either of the two day fields names it, if both are restricted.
 * A text says what is wrong instead.
 */
export function parseCron(expression: string): NextTime | string {
  const text = expression.trim().toLowerCase();
  const parts = (NICKNAMES[text] ?? text).split(/\s+/);
  if (parts.length !== FIELDS.length)
    return `a cron expression has 5 fields (minute, hour, day of the month, month, day of the week), not ${parts.length}`;
  const sets: Set<number>[] = [];
  for (const [n, field] of FIELDS.entries()) {
    const set = readField(parts[n] ?? '', field);
    if (typeof set === 'string') return set;
    sets.push(set);
  }
  const [minutes = NONE, hours = NONE, days = NONE, months = NONE, weekdays = NONE] = sets;
  if (weekdays.has(7)) weekdays.add(0);
  const eitherDay = !parts[2]?.startsWith('*') && !parts[4]?.startsWith('*');
  const isDay = (date: Date) => {
    const [byMonth, byWeek] = [days.has(date.getUTCDate()), weekdays.has(date.getUTCDay())];
    return months.has(date.getUTCMonth() + 1) && (eitherDay ? byMonth || byWeek : byMonth && byWeek);
  };
  const times = [...hours]
    .toSorted(ascending)
    .flatMap((hour) => [...minutes].toSorted(ascending).map((minute) => hour * HOUR_MS + minute * MINUTE_MS));
  const next = (afterMs: number): number | null => {
    const midnight = Math.floor(afterMs / DAY_MS) * DAY_MS;
    for (let day = midnight; day <= midnight + MAX_DAYS * DAY_MS; day += DAY_MS) {
      if (!isDay(new Date(day))) continue;
      const time = times.find((ms) => day + ms > afterMs);
      if (time !== undefined) return day + time;
    }
    return null;
  };
  if (next(0) === null) return 'no day of any year fits it';
  return (afterMs) => next(afterMs) ?? Infinity;
}

const NONE: Set<number> = new Set();

function readField(text: string, field: Field): Set<number> | string {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(\*|[a-z]+|\d+)(?:-([a-z]+|\d+))?(?:\/(\d+))?$/.exec(part);
    const [first, last] = match ? boundsOf(match[1] ?? '', { last: match[2], hasStep: match[3] !== undefined }, field) : [NaN, NaN];
    const step = Number(match?.[3] ?? 1);
    if (!(first >= field.least && last <= field.most && first <= last && step >= 1))
      return `"${part.slice(0, 20)}" is no ${field.what} (${field.least} to ${field.most}, lists, ranges like 1-5, steps like */10)`;
    for (let value = first; value <= last; value += step) values.add(value);
  }
  return values;
}

function boundsOf(first: string, { last, hasStep }: { last: string | undefined; hasStep: boolean }, field: Field): [number, number] {
  if (first === '*') return last === undefined ? [field.least, field.what === 'day of the week' ? 6 : field.most] : [NaN, NaN];
  const from = valueOf(first, field);
  if (last !== undefined) return [from, valueOf(last, field)];
  // `5/15`: from 5 on, every 15.
  return [from, hasStep ? field.most : from];
}

function valueOf(text: string, { names, least }: Field): number {
  if (/^\d+$/.test(text)) return Number(text);
  const at = names?.indexOf(text.slice(0, 3)) ?? -1;
  return at < 0 ? NaN : at + least;
}

function ascending(a: number, b: number): number {
  return a - b;
}
