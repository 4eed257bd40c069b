import type { IndicatorType } from '../model/indicator.ts';
import type { JudgedHost, NamedHost } from './text/judged-host.ts';

/** One find. */
export interface Extracted {
  readonly type: IndicatorType;
  /** Canonical, as `parseIndicator` gives it. */
  readonly value: string;
  /** As it stands in the text, with its defanging. */
  readonly original: string;
  /** Where `original` starts in the text, in UTF-16 code units; a part of a message (mail) says which in `part`. */
  readonly offset: number;
}

/** How to look. */
export interface ExtractOptions {
  /** Whether a name ends in a public suffix of ICANN's list: what tells `evil.com` from `main.rs`. The engine brings it. */
  readonly hasPublicSuffix: (host: string) => boolean;
  /** Each value once, at its first place. Default: every place. */
  readonly isUnique?: boolean;
  /** Whether the hosts of URLs and e-mail addresses are finds of their own. Default true: more sources know hosts than URLs. */
  readonly withHosts?: boolean;
}

/** A host in a text, between two places. */
export interface FoundHost {
  readonly host: NamedHost;
  readonly start: number;
  readonly end: number;
}

/** A text being read, and what was found in it so far. */
export interface Reading {
  readonly text: string;
  readonly hasPublicSuffix: (host: string) => boolean;
  readonly withHosts: boolean;
  readonly found: Extracted[];
  /** Host names as written that were judged already, see `judgedWith`. */
  readonly judged: Map<string, JudgedHost>;
  /** How many gateways rewrote the link that this text is; 0 for a text that is none. */
  readonly layers: number;
  /** Everything before belongs to an earlier find: nothing may reach back over it. */
  from: number;
}

/** Notes a host as a find of its own. */
export function noteHost(reading: Reading, { host, start }: FoundHost): void {
  const { type, value } = host.indicator;
  reading.found.push({ type, value, original: host.original, offset: start });
}

/** Notes a find between two places of the text. */
export function note(reading: Reading, type: IndicatorType, value: string, span: { start: number; end: number }): void {
  reading.found.push({ type, value, original: reading.text.slice(span.start, span.end), offset: span.start });
}
