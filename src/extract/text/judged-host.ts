import type { Indicator } from '../../model/indicator.ts';

/** What a host is by its own characters, wherever it stands. */
interface HostAsWritten {
  /** As it stands in the text, a string of its own. */
  readonly original: string;
  /** Whether it was judged as one that somebody defanged. */
  readonly isDefanged: boolean;
  /** `never`: a file, a package, a field; `maybe`: what stands around it decides; `no`: a name. Says nothing about defanged ones. */
  readonly trap: 'no' | 'maybe' | 'never';
  /** Whether it may be one of those that rewrite links. */
  readonly isGateway: boolean;
}

/** A name below a known suffix, or an address. */
export interface NamedHost extends HostAsWritten {
  readonly indicator: Indicator;
}

/** A host that was looked at; `null`: it is neither an address nor a name below a known suffix. */
export type JudgedHost = NamedHost | (HostAsWritten & { readonly indicator: null });

/** The same characters as a string of its own: a piece that was cut out of a text would keep all of it in memory. */
export function ownCopy(text: string, isWide: boolean): string {
  const encoding = isWide ? 'utf16le' : 'latin1';
  return Buffer.from(text, encoding).toString(encoding);
}

/** A host that nothing else has to be asked about. */
export function namedHost(indicator: Indicator, original: string, isDefanged = false): NamedHost {
  return { original, isDefanged, trap: 'no', isGateway: false, indicator };
}

/** What was looked at and is neither an address nor a name. */
export function noHost(original: string, isDefanged: boolean): JudgedHost {
  return { original, isDefanged, trap: 'no', isGateway: false, indicator: null };
}
