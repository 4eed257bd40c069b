import type { ParsedObservable } from '../indicator.ts';
import { parseIndicator } from '../parse-indicator.ts';
import { countedName } from './counted-name.ts';

type Named = Exclude<ParsedObservable, { kind: 'invalid' }>;

/** Words that say of what type the value behind them is, as lists and other products write them. */
const LABEL =
  /^(?:ip|ip-?v[46]|ip-(?:src|dst|addr(?:ess)?)|ip(?:v[46])?-addr|addr(?:ess)?|domain(?:-name)?|host(?:-?name)?|fqdn|ur[il]|link|e-?mail(?:-addr)?|hash|cve)\s*[:=]\s*(?=\S)/i;
/** The line of a request, as proxies write it: `GET http://evil.com/a HTTP/1.1`, `CONNECT evil.com:443`. */
const REQUEST = /^(?:GET|POST|HEAD|PUT|DELETE|CONNECT|OPTIONS|PATCH)\s+(\S+)(?:\s+HTTP\/\d(?:\.\d)?)?$/;
/** The data of a record of the DNS with its numbers before the name: `10 mx.evil.com.`, `0 5 5060 sip.evil.com`. */
const RECORD = /^(?:\d{1,5}\s+){1,3}([\w-]+(?:\.[\w-]+)*\.[a-z][a-z\d-]+\.?)$/i;
/** An address behind a protocol and before its port (`tcp/192.0.2.1:443`), before a port that is a name (RFC 7239), before a zone (`192.0.2.1%16`). */
const SOCKETS = [
  /^(?:tcp|udp|sctp)[:/]((?:\d{1,3}\.){3}\d{1,3})[:/]\d{1,5}$/i,
  /^((?:\d{1,3}\.){3}\d{1,3}|\[[\da-f:.]{2,45}\]):_[\w.-]{1,40}$/i,
  /^((?:\d{1,3}\.){3}\d{1,3})%\w{1,15}$/,
];
/** A whole value that `countedName` may read. */
const COUNTED_NAME = /^(?:\(\d{1,2}\)[^\s()]{1,63})+\(0\)$/;
/** A value, and behind it in brackets a note or a second one: `192.0.2.1 (a note)`, `192.0.2.1(evil.com)`. */
const IN_BRACKETS = /^([^\s()]+)\s*\(([^()]{0,200})\)$/;

/** The value without its type (`ip: 192.0.2.1`), method, numbers of a record, protocol or named port around it; `null`: there is none of them. */
export function withoutLabel(value: string): string | null {
  const text = value.trim();
  const label = LABEL.exec(text)?.[0];
  if (label !== undefined) return text.slice(label.length);
  for (const form of [REQUEST, RECORD, ...SOCKETS]) {
    const said = form.exec(text)?.[1];
    if (said !== undefined) return said;
  }
  return null;
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
