import { OutputClosedError } from '../../../rows/byte-streams.ts';
import type { ByteSink, ByteSource } from '../../../rows/byte-streams.ts';
import { searchInfoOf, tellFault, textsOf } from '../commands/command-context.ts';
import type { CommandContext } from '../commands/command-context.ts';
import { encodeCell } from '../../../rows/csv-cells.ts';
import { FrameError, FrameReader, encodeFrameHead } from './frames.ts';
import type { SearchContext } from './search-conversation.ts';
import type { InspectorMessage } from '../../../rows/search-notes.ts';

/** What a generating command answers: a table, and what the user should know besides. */
export interface GeneratedTable {
  readonly fields: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly messages: readonly InspectorMessage[];
}

/** What splunkd tells about the search, and who runs it. */
export interface GeneratingSearch extends SearchContext {
  /** Who is logged in; `null`: splunkd does not say. */
  readonly user: string | null;
}

/** A command that makes rows out of its arguments. */
export interface GeneratingCommand<Options> {
  /** Reads the words after the command's name; throws `UsageError`. */
  read(args: readonly string[]): Options;
  generate(options: Options, search: GeneratingSearch, signal: AbortSignal): Promise<GeneratedTable>;
}

// It makes its rows from nothing that is spread over indexers: one process, on the search head.
const INTRODUCTION = { type: 'stateful', generating: true };

/** Answers splunkd's requests (chunked protocol v2) for a generating command: all rows with the first execute. Answers the exit status. */
export async function converseGenerating<Options>(world: CommandContext, command: GeneratingCommand<Options>): Promise<number> {
  const reader = new FrameReader(world.input);
  let ready: { options: Options; search: GeneratingSearch } | null = null;
  let isDone = false;
  try {
    for (let frame = await reader.next(); frame !== null; frame = await reader.next()) {
      const { action } = frame.metadata;
      if (action === 'getinfo') {
        const info = searchInfoOf(frame.metadata);
        ready = { options: command.read(textsOf(info.args)), search: contextOf(info) };
        world.output.write(encodeFrameHead(INTRODUCTION, 0));
      } else if (action !== 'execute') throw new FrameError('a request is neither getinfo nor execute');
      else if (ready === null) throw new FrameError('an execute request comes before getinfo');
      else if (isDone) world.output.write(encodeFrameHead({ finished: true }, 0));
      else {
        isDone = true;
        const { options, search } = ready;
        writeTable(world.output, await untilClosed(world.input, (signal) => command.generate(options, search, signal)));
      }
    }
    return 0;
  } catch (error) {
    if (error instanceof OutputClosedError || error instanceof CancelledError) return 0;
    tellFault(world, error, ready === null ? INTRODUCTION : {});
    return 1;
  }
}

/** The search was cancelled while look-ups were under way. */
class CancelledError extends Error {
  override readonly name = 'CancelledError';
}

async function untilClosed<Result>(input: ByteSource, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const cancel = new AbortController();
  const stopWatching = input.watch(() => cancel.abort());
  try {
    return await work(cancel.signal);
  } catch (error) {
    throw cancel.signal.aborted ? new CancelledError('the search was cancelled', { cause: error }) : error;
  } finally {
    stopWatching();
  }
}

function writeTable(output: ByteSink, { fields, rows, messages }: GeneratedTable): void {
  const lines = [fields, ...rows].map((cells) => cells.map(encodeCell).join(','));
  const body = Buffer.from(rows.length === 0 ? '' : `${lines.join('\n')}\n`);
  output.write(encodeFrameHead({ finished: true, ...(messages.length === 0 ? {} : { inspector: { messages } }) }, body.length));
  output.write(body);
}

function contextOf(info: Readonly<Record<string, unknown>>): GeneratingSearch {
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  return {
    app: text(info.app),
    owner: text(info.owner),
    sessionKey: text(info.session_key),
    splunkdUri: text(info.splunkd_uri),
    user: text(info.username),
  };
}
