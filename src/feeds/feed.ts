// src/feeds/: one file for each list that is downloaded; pure: a call described, a page read.
import type * as z from 'zod/mini';
import type { SettingsSchema } from '../config/setting.ts';
import type { LookupError } from '../model/lookup-error.ts';
import type { Observation } from '../model/observation.ts';
import type { HttpAnswer, HttpCall } from '../providers/provider.ts';

/** One indicator as a feed tells it. */
export type FeedItem = Observation;

/** A network as a feed lists it, in CIDR form: it names every address inside, and is never looked up itself. */
export interface NetworkItem extends Omit<FeedItem, 'indicator'> {
  readonly network: string;
}

/** An item that is no indicator: kept aside with its reason, never dropped silently. */
export interface RejectedItem {
  readonly reason: string;
  /** The item as it came, cut to a bounded length. */
  readonly raw: string;
}

/** A list read from this machine instead of a server. */
export interface FileCall {
  readonly file: string;
}

/** What to fetch next, with what the feed has to remember until the answer is there. */
export interface FeedStep<State = unknown> {
  readonly call: HttpCall | FileCall;
  readonly state: State;
}

/** One page of a feed. `items`, `networks` and `rejected` together are everything on the page that claims to be an indicator. */
export interface FeedPage<State = unknown> {
  readonly items: readonly FeedItem[];
  readonly networks: readonly NetworkItem[];
  readonly rejected: readonly RejectedItem[];
  /** Entries that are no indicator and do not claim to be one (text, YARA rules, entries older than the cursor). */
  readonly ignored: number;
  /** What of the feed could not be read, one line each, for people: a run with faults is no whole run. */
  readonly faults: readonly string[];
  readonly next: FeedStep<State> | null;
  /** Where the next run may resume once everything up to here is stored; `null`: not yet known, keep the old one. */
  readonly cursor: string | null;
}

/** Why a step gave no page. */
export interface StepFailure {
  readonly error: LookupError;
  /** The HTTP status it came with; `null`: no answer, or one in a shape we do not know. */
  readonly status: number | null;
}

/** What a feed knows of the run it is part of. */
export interface FeedContext<S> {
  readonly settings: S;
  /** What the last run left; `null`: first run. */
  readonly cursor: string | null;
  /** When this run began, seconds since 1970 (UTC); the same for all pages. */
  readonly startedAtS: number;
}

/** A list that is downloaded whole or since a cursor: pure functions and facts. The host fetches, retries and stores. */
export interface Feed<Schema extends SettingsSchema = SettingsSchema, State = unknown, S = z.output<Schema>> {
  readonly id: string;
  readonly title: string;
  /** Where the list is documented. */
  readonly docs: string;
  readonly settings: Schema;
  first(context: FeedContext<S>): FeedStep<State>;
  /** Turns a 2xx or 304 answer (or a file's text) into a page. Throws (a schema error, or a coded LookupError) for any other shape. */
  read(answer: HttpAnswer, step: FeedStep<State>, context: FeedContext<S>): FeedPage<State>;
  /** Whether `read` wants to see an answer whose status says failure. */
  reads?(answer: HttpAnswer, step: FeedStep<State>): boolean;
  /** The page that stands for a step that could not be fetched or read, so that the feed goes on behind it. `null` or left out: it ends there. */
  skip?(failure: StepFailure, step: FeedStep<State>, context: FeedContext<S>): FeedPage<State> | null;
}

/** Keeps a feed's settings and state types while it goes into the registry. */
export function defineFeed<Schema extends SettingsSchema, State>(
  feed: Feed<Schema, State, z.output<Schema>>,
): Feed<Schema, State, z.output<Schema>> {
  return feed;
}
