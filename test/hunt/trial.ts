import { readFileSync } from 'node:fs';
import type { Indicator } from '../../src/model/indicator.ts';

/** Bytes of a trial: a text, lines that end in CRLF (or in what `lineEnd` says), or base64. */
export type Bytes = string | { readonly lines: readonly string[]; readonly lineEnd?: string } | { readonly base64: string };

/** What every trial has. */
export interface Trial {
  /** The public report that it was reduced from: `owner/repository#number`. */
  readonly report: string;
  /** What is tried, and so the name of the test. */
  readonly trial: string;
  /** What came when it was run for the first time, before anything was changed for it; without it, it was right at once. */
  readonly first?: string;
  /** Why it is still not as wanted, or why what is wanted may be disputed. */
  readonly open?: string;
}

/** What has to be found, as `type value`; `not`: beginnings of what must not be. */
interface Finds {
  readonly only?: readonly string[];
  readonly has?: readonly string[];
  readonly not?: readonly string[];
}

/** A text, page or mail whose indicators are wanted. */
export interface TextTrial extends Trial, Finds {
  readonly input: Bytes;
}

/** One value: what it is looked up as, or `invalid` or `nothing`; behind a private one stands `(private)`. */
export interface ValueTrial extends Trial {
  readonly value: string;
  readonly is: string | readonly string[];
}

/** Places of a JSON text and what has to stand there; `null`: nothing at all. */
export type Wanted = Readonly<Record<string, unknown>>;

/** Events for `/v1/enrich`. */
export interface EventTrial extends Trial {
  readonly events: readonly unknown[] | string;
  readonly want: readonly Wanted[];
  readonly fields?: readonly string[];
}

/** Rows of a Splunk search. `latin1`: each character of the rows is one byte. */
export interface RowTrial extends Trial {
  readonly args: readonly string[];
  readonly rows: string;
  readonly latin1?: boolean;
  readonly want: Readonly<Record<string, readonly string[]>>;
}

/** Answers of a feed's server, in turn. */
export interface FeedTrial extends Trial {
  readonly feed: string;
  readonly settings?: object;
  readonly cursor?: string;
  readonly answers: readonly { readonly body: unknown; readonly headers?: Readonly<Record<string, string>>; readonly status?: number }[];
  readonly values: readonly string[];
  readonly networks?: readonly string[];
  /** How many items are kept aside. */
  readonly rejected?: number;
  readonly tags?: readonly (readonly string[])[];
  /** Values that are taken back. */
  readonly revoked?: readonly string[];
  /** The end of validity of each value; `null`: none is said. */
  readonly until?: readonly (string | null)[];
}

/** A bulk request through the gateway: what reaches the engine, by the number of its line. */
export interface BulkTrial extends Trial {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  readonly want: Readonly<Record<string, Wanted>>;
}

/** What a provider answers about an indicator, and the verdict or the code of the failure that it has to be read as. */
export interface AnswerTrial extends Trial {
  readonly provider: string;
  readonly indicator: Indicator;
  readonly status?: number;
  readonly body: unknown;
  /** A verdict, `not listed`, or a code; of several each is right. */
  readonly says: string | readonly string[];
}

/** An alert for `/v1/triage`, and what has to stand in its decision. */
export interface AlertTrial extends Trial {
  readonly alert: object;
  readonly decision: Wanted;
}

/** The trials of a file beside this one. */
export function trialsOf<T extends Trial>(file: string): readonly T[] {
  return JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as T[];
}

/** The bytes that are meant. */
export function bytesOf(input: Bytes): Buffer {
  if (typeof input === 'string') return Buffer.from(input);
  if ('base64' in input) return Buffer.from(input.base64, 'base64');
  return Buffer.from(input.lines.join(input.lineEnd ?? '\r\n'));
}
