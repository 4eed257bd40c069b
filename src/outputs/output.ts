// src/outputs/: one file for each receiver of judgements; pure: a call described, its answer read.
import type * as z from 'zod/mini';
import type { SettingsSchema } from '../config/setting.ts';
import type { Enrichment, Tier } from '../model/enrichment.ts';
import type { Indicator, IndicatorType } from '../model/indicator.ts';
import type { Tlp } from '../model/tlp.ts';
import type { VerdictWord } from '../model/verdict.ts';

/** Why an output is told: judged for the first time or anew, the verdict turned, or an alert was triaged. */
export type OutputEvent = 'enriched' | 'verdict_changed' | 'triage';

/** One message to an output. Times are seconds since 1970 (UTC). */
export interface OutputItem {
  /** Idempotency key: the same message has the same key, in every try and every process. */
  readonly key: string;
  /** SHA-256 of type and value, in hex: names the indicator, whatever its length. */
  readonly id: string;
  readonly event: OutputEvent;
  readonly indicator: Indicator;
  readonly enrichment: Enrichment;
  readonly sources: readonly string[];
  readonly tags: readonly string[];
  readonly tlp: Tlp | null;
  readonly addedS: number;
  readonly firstSeenS: number;
  readonly lastSeenS: number;
  readonly validUntilS: number | null;
  readonly isRevoked: boolean;
  /** When it was judged. */
  readonly atS: number;
  /** What was thought before; `null`: nothing. */
  readonly before: { readonly verdict: VerdictWord; readonly score: number | null; readonly tier: Tier; readonly atS: number } | null;
  /** One line for people: why this tier, who was seen with it; `null`: nothing to add. */
  readonly note: string | null;
}

/** A call over HTTP. Secrets go into headers or the body; where the URL itself is the secret, `isSecretUrl` says so. */
export interface HttpOutputCall {
  readonly kind: 'http';
  readonly url: URL;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Send the body compressed. */
  readonly gzip?: boolean;
  /** Sign `<time>.<body>` with HMAC-SHA256 when it is sent, as `x-ismalicious-timestamp` and `x-ismalicious-signature`. */
  readonly signWith?: string;
  readonly isSecretUrl?: boolean;
}

/** Text added to a file on this machine. */
export interface FileOutputCall {
  readonly kind: 'file';
  readonly path: string;
  /** Added at the end of the file, or the whole content of a new one. */
  readonly text: string;
  readonly mode: 'append' | 'create';
  /** First line of a file that does not exist yet. */
  readonly header: string | null;
}

/** A message handed to a mail server. */
export interface MailOutputCall {
  readonly kind: 'mail';
  readonly server: {
    readonly host: string;
    readonly port: number;
    readonly security: 'tls' | 'starttls';
    readonly user: string;
    readonly password: string;
  };
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** Local part of the Message-ID: receivers drop a second copy. */
  readonly messageId: string;
}

/** What an output wants done. */
export type OutputCall = HttpOutputCall | FileOutputCall | MailOutputCall;

/** What came back. A file or mail that was taken is status 200, a question that nobody answered 0. Header names are lower case. */
export interface OutputAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
}

/** One call of an exchange, with what the output has to remember until the answer is there. */
export interface OutputStep<State = unknown> {
  readonly call: OutputCall;
  readonly state: State;
  /** Wait this long before the call. */
  readonly waitMs?: number;
  /** It only asks what became of messages: when no answer comes, `read` is given one of status 0, and may ask again. Left out: all is sent again. */
  readonly isQuestion?: true;
}

/** A ticket that was opened for an indicator before, by the name its system gave it. */
export interface Ticket {
  readonly ref: string;
  readonly isOpen: boolean;
}

/** An item that was not taken, and why. */
export interface Refusal {
  readonly item: OutputItem;
  readonly reason: string;
}

/** What an answer settles. Items it does not name are still open: they belong to `next`, and without one they are tried again. */
export interface OutputResult<State = unknown> {
  readonly delivered?: readonly OutputItem[];
  /** The receiver had it already: as good as delivered. */
  readonly duplicate?: readonly OutputItem[];
  readonly retryable?: readonly Refusal[];
  /** Will never be taken as it is: goes into quarantine. */
  readonly rejected?: readonly Refusal[];
  /** Refused as a whole without saying which: goes again in halves, and one alone is rejected. */
  readonly split?: string;
  /** Nothing more goes out before this has passed; also with a success that warns. */
  readonly retryAfterMs?: number;
  /** The output itself is at fault (key, address, right): everything waits for a person, nothing is given up. */
  readonly halt?: string;
  readonly next?: OutputStep<State>;
  /** The item's ticket, as it stands now: it is remembered, so that the next word on the indicator goes into it. */
  readonly ticket?: Ticket;
}

/** What an output knows of the exchange. */
export interface OutputContext<S> {
  readonly settings: S;
  /** From `signIn`; empty for an output without one. */
  readonly token: string;
  /** Seconds since 1970 (UTC). */
  readonly nowS: number;
  /** The ticket of the item, for an output that keeps tickets (it is told one item at a time); left out: none is known. */
  readonly ticket?: Ticket;
}

/** A short-lived token that has to be fetched first (OAuth client credentials). */
export interface OutputSignIn<S> {
  request(settings: S): HttpOutputCall;
  /** Throws for any other shape. */
  read(body: unknown): { readonly token: string; readonly lifetimeS: number };
}

/** Which items go to an output unless its settings say otherwise. */
export interface OutputDefaults {
  readonly minScore?: number;
  readonly tiers?: readonly Tier[];
  /** A verdict that turned is told even when it no longer passes the filter, if it passed before. */
  readonly tellsTurns?: boolean;
  readonly events?: readonly OutputEvent[];
  /** It writes where others read: switched on it only counts, until `dry_run: false`. */
  readonly dryRun?: true;
  /** Strictest TLP label that is sent; AMBER where nothing is said. */
  readonly maxTlp?: Tlp;
}

/** A place that is told about judged indicators: pure functions and facts. The host journals, sends, retries and counts. */
export interface Output<Schema extends SettingsSchema = SettingsSchema, State = unknown, S = z.output<Schema>> {
  readonly id: string;
  readonly title: string;
  readonly docs: string;
  readonly settings: Schema;
  readonly defaults: OutputDefaults;
  /** Types it has a form for; left out: all. */
  readonly types?: readonly IndicatorType[];
  /** Whether it has a form for this item; left out: for every one. Only threats go where everything counts as one. */
  accepts?(item: OutputItem): boolean;
  /** Most items and bytes of body in one call. */
  limits(settings: S): { readonly items: number; readonly bytes: number };
  readonly signIn?: OutputSignIn<S>;
  /** It opens tickets, which are remembered; one item a call. */
  readonly keepsTickets?: true;
  start(items: readonly OutputItem[], context: OutputContext<S>): OutputStep<State>;
  /** Reads the answer to a step; `items` are those of the step that are still open. */
  read(answer: OutputAnswer, step: OutputStep<State>, items: readonly OutputItem[], context: OutputContext<S>): OutputResult<State>;
}

/** Keeps an output's settings and state types while it goes into the registry. */
export function defineOutput<Schema extends SettingsSchema, State>(
  output: Output<Schema, State, z.output<Schema>>,
): Output<Schema, State, z.output<Schema>> {
  return output;
}
