// src/hosts/splunk/protocol/: splunkd's chunked protocol: frames, and who says what when.
import type { Enricher } from '../../../engine/enricher.ts';
import { OutputClosedError } from '../../../rows/byte-streams.ts';
import type { ByteSink, ByteSource } from '../../../rows/byte-streams.ts';
import { RowEnricher, outputFields } from '../../../rows/row-enricher.ts';
import type { RowOptions } from '../../../rows/row-options.ts';
import { readCommandOptions } from '../commands/command-options.ts';
import { CsvError } from '../../../rows/csv-cells.ts';
import { FrameError, FrameReader } from './frames.ts';
import type { Frame } from './frames.ts';
import type { SearchKeys } from '../../../rows/kept/earlier-searches.ts';
import type { ValueSnapshot } from '../../../rows/kept/value-snapshot.ts';
import { UsageError } from '../../../splunkd/option-words.ts';
import type { Fingerprint } from '../../../splunkd/fingerprint.ts';
import { ReplyWriter } from './reply-writer.ts';
import type { SearchMemory } from '../memory/search-memory.ts';
import { SearchNotes } from '../../../rows/search-notes.ts';

/** What splunkd tells about the search: how its REST interface is reached on the user's behalf. */
export interface SearchContext {
  readonly app: string | null;
  readonly owner: string | null;
  readonly sessionKey: string | null;
  readonly splunkdUri: string | null;
  /** Id of the search. */
  readonly sid?: string | null;
}

/** The engine, and what a user should know although it works. */
export interface OpenedEnricher {
  readonly engine: Enricher;
  readonly warnings: readonly string[];
  /** What its answers rest on; `null` or nothing: they hold for this search only. */
  readonly fingerprint?: () => Fingerprint | null;
}

/**
 * Opens the engine; called at most once a search, and only when there are rows to enrich. `providers`: who will be asked, `null` for
 * everybody. `traces`: whether answers say where they come from.
 */
export type OpenEnricher = (
  search: SearchContext,
  providers: readonly string[] | null,
  profile?: string,
  traces?: boolean,
) => Promise<OpenedEnricher>;

/** The world of the program. */
export interface Surroundings {
  readonly input: ByteSource;
  readonly output: ByteSink;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly open: OpenEnricher;
  /** One line for search.log; called for errors only. */
  readonly complain: (line: string) => void;
  /** Loaded at the first rows; nothing: every search begins anew. `startedMs`: when the search began. */
  readonly remember?: (startedMs: number) => Promise<SearchMemory>;
  /** Told the size of every chunk before its rows are read. */
  readonly prepare?: (bytes: number) => Promise<void>;
}

/** The search was cancelled while look-ups were under way. */
class CancelledError extends Error {
  override readonly name = 'CancelledError';
}

/** Any wish of the user that the program cannot fulfil ends with this status, told in the search UI before. */
const FAILED = 1;
// Late answers still go to the cache; a search does not wait for them longer than this.
const CLOSE_WITHIN_MS = 500;
/** A call that is out when the search ends is paid for: its answer is waited for at most so long, for the cache. */
const FINISH_WITHIN_MS = 5000;

/**
 * Answers splunkd's requests (chunked protocol v2) until its end of the pipe closes; one reply for each request.
 * Answers the exit status.
 */
export async function converse(surroundings: Surroundings): Promise<number> {
  const conversation = new Conversation(surroundings);
  try {
    await conversation.run();
    await conversation.finish();
    return 0;
  } catch (error) {
    if (error instanceof OutputClosedError || error instanceof CancelledError) return 0;
    conversation.fail(error);
    return FAILED;
  } finally {
    await conversation.close();
  }
}

class Conversation {
  readonly #world: Surroundings;
  readonly #reader: FrameReader;
  readonly #writer: ReplyWriter;
  readonly #notes = new SearchNotes();
  #search: SearchContext = { app: null, owner: null, sessionKey: null, splunkdUri: null };
  #providers: readonly string[] | null = null;
  #profile: string | undefined;
  #traces: boolean | undefined;
  #chunks: RowEnricher | null = null;
  #enricher: Promise<Enricher> | null = null;
  /** Grows when something goes wrong later. */
  #warnings: readonly string[] = [];
  readonly #startedMs: number;
  #memory: SearchMemory | null = null;
  #recalled: Fingerprint | null = null;
  /** What this search's own answers rest on; `null`: nobody was asked, or they are not to be kept. */
  #fingerprint: Fingerprint | null = null;

  constructor(world: Surroundings) {
    this.#world = world;
    this.#startedMs = world.now();
    this.#reader = new FrameReader(world.input);
    this.#writer = new ReplyWriter(world.output);
  }

  async run(): Promise<void> {
    for (let frame = await this.#reader.next(); frame !== null; frame = await this.#reader.next()) {
      const { action } = frame.metadata;
      if (action === 'getinfo') this.#introduce(frame);
      else if (action === 'execute') await this.#execute(frame);
      else throw new FrameError('a request is neither getinfo nor execute');
    }
    this.#keep();
  }

  /** The last reply: what went wrong. */
  fail(error: unknown): void {
    const text = toText(error);
    try {
      this.#notes.say('ERROR', text);
      this.#writer.writeBare({ ...(this.#chunks === null ? { type: 'stateful' } : {}), ...this.#notes.take(), finished: true });
    } catch (fault) {
      // Nobody reads: the log has it.
      if (!(fault instanceof OutputClosedError)) throw fault;
    }
    this.#world.complain(text);
  }

  /** Lets the calls that are out end. */
  async finish(): Promise<void> {
    const enricher = await this.#enricher?.catch(() => null);
    await enricher?.finish?.(FINISH_WITHIN_MS);
  }

  async close(): Promise<void> {
    this.#world.input.close();
    if (this.#enricher === null) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_WITHIN_MS);
    });
    const closed = this.#enricher.then(
      (enricher) => enricher.close(),
      // It did not open: that was told.
      () => undefined,
    );
    await Promise.race([closed, late]);
    clearTimeout(timer);
  }

  #introduce(frame: Frame): void {
    const search = frame.metadata.searchinfo;
    const searchinfo = typeof search === 'object' && search !== null ? (search as Record<string, unknown>) : {};
    const options = readCommandOptions(toTexts(searchinfo.args), toTexts(searchinfo.raw_args));
    this.#search = {
      app: toTextOrNull(searchinfo.app),
      owner: toTextOrNull(searchinfo.owner),
      sessionKey: toTextOrNull(searchinfo.session_key),
      splunkdUri: toTextOrNull(searchinfo.splunkd_uri),
      sid: toTextOrNull(searchinfo.sid),
    };
    this.#providers = options.providers;
    this.#profile = options.profile;
    this.#traces = options.trace;
    this.#chunks = new RowEnricher(options, this.#notes, Math.trunc(this.#world.now() / 1000));
    this.#writer.writeBare(introductionOf(options));
  }

  async #execute(frame: Frame): Promise<void> {
    const chunks = this.#chunks;
    if (chunks === null) throw new FrameError('an execute request comes before getinfo');
    const finished = frame.metadata.finished === true;
    const context = {
      open: () => this.#open(),
      nowS: Math.trunc(this.#world.now() / 1000),
      wait: <Result>(work: (signal: AbortSignal) => Promise<Result>) => this.#wait(work),
      recall: (keys: SearchKeys) => this.#recall(keys),
    };
    await this.#world.prepare?.(frame.bodyEnd - frame.bodyFrom);
    const reply = await chunks.enrich(frame, context);
    if (finished) {
      await chunks.sumUp(context);
      this.#tellWarnings();
      this.#notes.sumUp();
    }
    const metadata = { finished, ...this.#notes.take() };
    if (reply === null) this.#writer.writeBare(metadata);
    else this.#writer.writeRows(metadata, reply);
  }

  async *#recall(keys: SearchKeys): AsyncGenerator<ValueSnapshot, void> {
    this.#memory = (await this.#world.remember?.(this.#startedMs)) ?? null;
    if (this.#memory === null) return;
    for await (const { known, fingerprint } of this.#memory.recall(keys)) {
      this.#recalled = fingerprint;
      yield known;
    }
  }

  /** Leaves to later searches what this one learnt; all replies are out by then. */
  #keep(): void {
    if (this.#chunks === null || this.#memory === null || this.#fingerprint === null) return;
    // What was recalled rests on what held then.
    if (this.#recalled !== null && JSON.stringify(this.#recalled) !== JSON.stringify(this.#fingerprint)) return;
    try {
      const kept = this.#chunks.gather(Math.trunc(this.#world.now() / 1000));
      if (kept !== null) this.#memory.keep(kept.keys, kept, this.#fingerprint);
    } catch (error) {
      this.#world.complain(
        `isMalicious: what this search knows cannot be kept: ${error instanceof Error ? error.message : 'unknown fault'}`,
      );
    }
  }

  async #wait<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const cancel = new AbortController();
    const stopWatching = this.#world.input.watch(() => cancel.abort());
    const stopWatchingReader = this.#world.output.watch?.(() => cancel.abort());
    try {
      return await work(cancel.signal);
    } catch (error) {
      throw cancel.signal.aborted ? new CancelledError('the search was cancelled', { cause: error }) : error;
    } finally {
      stopWatching();
      stopWatchingReader?.();
    }
  }

  #tellWarnings(): void {
    // What was told is not told again.
    for (const warning of this.#warnings) this.#notes.say('WARN', `isMalicious: ${warning}`);
  }

  #open(): Promise<Enricher> {
    const opening = () => this.#world.open(this.#search, this.#providers, this.#profile, this.#traces);
    return (this.#enricher ??= opening().then(({ engine, warnings, fingerprint }) => {
      this.#warnings = warnings;
      this.#tellWarnings();
      // Who does not ask the engine would not hear its warnings.
      if (warnings.length === 0 && this.#memory !== null) this.#fingerprint = fingerprint?.() ?? null;
      return engine;
    }));
  }
}

/** The reply to getinfo. Rows are joined back by splunkd, so it is told which columns are needed, unless rows may go missing. */
function introductionOf(options: RowOptions): object {
  if (options.only !== null) return { type: 'stateful' };
  return { type: 'stateful', required_fields: [...new Set([...options.fields, ...outputFields(options)])] };
}

function toText(error: unknown): string {
  if (error instanceof UsageError) return error.message;
  if (error instanceof FrameError || error instanceof CsvError)
    return `isMalicious: broken input: ${error.message}. Run the search again; if it stays, report it with the search.log.`;
  return `isMalicious: ${error instanceof Error ? error.message : 'unknown fault'}`;
}

function toTexts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

function toTextOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
