import { createHash } from 'node:crypto';
import { compare, fromTexts, numberOf, shiftTime, textOf, type Value, valuesOf } from './values.ts';

type Call = (args: readonly Value[], nowS: number) => Value;

const isNull = (value: Value | undefined): value is null | undefined => value === null || value === undefined;

/** Null where the first argument is: most functions of text say nothing about nothing. */
const ofText =
  (work: (text: string, ...more: string[]) => Value): Call =>
  (args) =>
    args.some(isNull) ? null : work(...(args.map(textOf) as [string, ...string[]]));

const ofNumber =
  (work: (value: number, digits: number) => number): Call =>
  ([value = null, digits = 0]) => {
    const number = numberOf(value);
    return number === null ? null : work(number, numberOf(digits) ?? 0);
  };

/** Strict: what Splunk makes of a missing argument is not relied on. */
const extreme =
  (sign: number): Call =>
  (args) =>
    args.some(isNull) ? null : args.reduce((best, value) => (sign * compare(value, best) > 0 ? value : best));

/** Functions of `eval` and `where`, by name. Lazy ones (`if`, `case`, `coalesce`) get all arguments computed: ours have no side effects. */
export const FUNCTIONS: Readonly<Record<string, Call>> = {
  true: () => true,
  false: () => false,
  null: () => null,
  now: (_args, nowS) => nowS,
  time: (_args, nowS) => nowS,
  isnull: ([value]) => isNull(value),
  isnotnull: ([value]) => !isNull(value),
  coalesce: (args) => args.find((value) => !isNull(value)) ?? null,
  if: ([test, yes = null, no = null]) => (test === true ? yes : no),
  case: (args) => args[args.findIndex((value, n) => n % 2 === 0 && value === true) + 1 || args.length] ?? null,
  in: ([value = null, ...list]) => (isNull(value) ? null : list.some((one) => compare(value, one) === 0)),
  like: ofText((text, pattern = '') => {
    const escaped = pattern.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return new RegExp(`^${escaped.replaceAll('%', '[^]*').replaceAll('_', '[^]')}$`).test(text);
  }),
  match: ofText((text, pattern = '') => new RegExp(pattern).test(text)),
  lower: ofText((text) => text.toLowerCase()),
  upper: ofText((text) => text.toUpperCase()),
  len: ofText((text) => text.length),
  trim: ofText((text) => text.trim()),
  substr: ofText((text, from = '1', length) => text.substr(Number(from) - 1, length === undefined ? undefined : Number(length))),
  replace: ofText((text, pattern = '', by = '') => text.replaceAll(new RegExp(pattern, 'g'), by.replaceAll(/\\(\d)/g, '$$$1'))),
  sha256: ofText((text) => createHash('sha256').update(text).digest('hex')),
  split: ofText((text, by = ',') => fromTexts(text.split(by))),
  strftime: ([value = null, form = '']) => (numberOf(value) === null ? null : formatTime(numberOf(value) ?? 0, textOf(form))),
  relative_time: ([value = null, modifier = '']) => (numberOf(value) === null ? null : shiftTime(numberOf(value) ?? 0, textOf(modifier))),
  tonumber: ([value = null]) => numberOf(value),
  tostring: ([value = null, form = '']) => (form === 'duration' ? duration(numberOf(value) ?? 0) : isNull(value) ? null : textOf(value)),
  round: ofNumber((value, digits) => Number(value.toFixed(digits))),
  ceiling: ofNumber(Math.ceil),
  floor: ofNumber(Math.floor),
  min: extreme(-1),
  max: extreme(1),
  mvappend: (args) => fromTexts(args.flatMap(valuesOf)),
  mvdedup: ([value = null]) => fromTexts([...new Set(valuesOf(value))]),
  mvsort: ([value = null]) => fromTexts(valuesOf(value).toSorted()),
  mvjoin: ([value = null, by = '']) => (isNull(value) ? null : valuesOf(value).join(textOf(by))),
  mvindex: ([value = null, at = 0]) => valuesOf(value).at(Number(at)) ?? null,
  mvcount: ([value = null]) => valuesOf(value).length || null,
};

function formatTime(atS: number, form: string): string {
  const [date = '', time = ''] = new Date(atS * 1000).toISOString().split(/[TZ.]/);
  const [year = '', month = '', day = ''] = date.split('-');
  const [hour = '', minute = '', second = ''] = time.split(':');
  const parts: Readonly<Record<string, string>> = { Y: year, m: month, d: day, H: hour, M: minute, S: second, F: date, T: time };
  return form.replaceAll(/%([A-Za-z])/g, (_all, letter: string) => {
    const part = parts[letter];
    if (part === undefined) throw new Error(`strftime: %${letter} is not known here`);
    return part;
  });
}

function duration(seconds: number): string {
  const rest = new Date((seconds % 86_400) * 1000).toISOString().slice(11, 19);
  return seconds >= 86_400 ? `${Math.floor(seconds / 86_400)}+${rest}` : rest;
}
