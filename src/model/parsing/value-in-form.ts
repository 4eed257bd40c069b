import type { ParsedObservable } from '../indicator.ts';
import { parseIndicator } from '../parse-indicator.ts';

type Named = Exclude<ParsedObservable, { kind: 'invalid' }>;

/** Words that say of what type the value behind them is, as lists and other products write them. */
const LABEL =
  /^(?:ip|ip-?v[46]|ip-(?:src|dst|addr(?:ess)?)|ip(?:v[46])?-addr|addr(?:ess)?|domain(?:-name)?|host(?:-?name)?|fqdn|ur[il]|link|e-?mail(?:-addr)?|hash|cve)\s*[:=]\s*(?=\S)/i;
/** As Windows' DNS server writes names in its debug log: before each label its length, at the end none. */
const COUNTED_NAME = /^(?:\(\d{1,2}\)[^\s()]{1,63})+\(0\)$/;
const COUNTED_LABEL = /\((\d{1,2})\)([^()]+)/g;
/** A value, and behind it in brackets a note or a second one: `192.0.2.1 (a note)`, `192.0.2.1(evil.com)`. */
const IN_BRACKETS = /^([^\s()]+)\s*\(([^()]{0,200})\)$/;

/** What stands behind the type that a value has before it: `ip: 192.0.2.1`; `null`: it has none. */
export function withoutLabel(value: string): string | null {
  const text = value.trim();
  const label = LABEL.exec(text)?.[0];
  return label === undefined ? null : text.slice(label.length);
}

/** The name that a value is in the form of Windows' DNS server; `null`: it is none. */
export function namedByCounts(value: string): Named | null {
  const text = value.trim();
  return COUNTED_NAME.test(text) ? named(countedName(text) ?? '') : null;
}

/** The public value that has something in brackets behind it, and what the brackets name; empty: no such thing. */
export function valuesAroundBracket(value: string): Named[] {
  const [, first = '', second = ''] = IN_BRACKETS.exec(value.trim()) ?? [];
  const found = [named(first), named(second.trim())].filter((each) => each?.kind === 'public');
  return named(first)?.kind === 'public' ? (found as Named[]) : [];
}

function named(value: string): Named | null {
  const parsed = value === '' ? null : parseIndicator(value);
  return parsed === null || parsed.kind === 'invalid' ? null : parsed;
}

/** `(4)evil(3)com(0)` as `evil.com`; `null` when a length is not that of its label. */
function countedName(text: string): string | null {
  const labels = [...text.matchAll(COUNTED_LABEL)];
  return labels.every(([, length, label = '']) => Number(length) === label.length) ? labels.map(([, , label]) => label).join('.') : null;
}
