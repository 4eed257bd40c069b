import type { ParsedObservable } from '../indicator.ts';
import { parseIndicator } from '../parse-indicator.ts';
import { countedName } from './counted-name.ts';

type Named = Exclude<ParsedObservable, { kind: 'invalid' }>;

/** Words that say of what type the value behind them is, as lists and other products write them. */
const LABEL =
  /^(?:ip|ip-?v[46]|ip-(?:src|dst|addr(?:ess)?)|ip(?:v[46])?-addr|addr(?:ess)?|domain(?:-name)?|host(?:-?name)?|fqdn|ur[il]|link|e-?mail(?:-addr)?|hash|cve)\s*[:=]\s*(?=\S)/i;
/** A whole value that `countedName` may read. */
const COUNTED_NAME = /^(?:\(\d{1,2}\)[^\s()]{1,63})+\(0\)$/;
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
  const found = named(first);
  if (found?.kind !== 'public') return [];
  const inside = named(second.trim());
  return inside?.kind === 'public' ? [found, inside] : [found];
}

function named(value: string): Named | null {
  const parsed = value === '' ? null : parseIndicator(value);
  return parsed === null || parsed.kind === 'invalid' ? null : parsed;
}
