// src/hosts/splunk/commands/: the search commands besides the conversation: their options, and what they answer.
import { OutputClosedError } from '../../../rows/byte-streams.ts';
import type { ByteSink, ByteSource } from '../../../rows/byte-streams.ts';
import { CsvError } from '../../../rows/csv-cells.ts';
import { FrameError, encodeFrameHead } from '../protocol/frames.ts';
import { UsageError } from '../../../splunkd/option-words.ts';
import { inertText } from '../../../model/formats/inert-text.ts';

/** The world of a search command's program. */
export interface CommandContext {
  readonly input: ByteSource;
  readonly output: ByteSink;
  /** One line for search.log; called for errors only. */
  readonly complain: (line: string) => void;
}

/** What splunkd tells about the search with getinfo; empty where it tells nothing. */
export function searchInfoOf(metadata: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { searchinfo } = metadata;
  return typeof searchinfo === 'object' && searchinfo !== null ? (searchinfo as Record<string, unknown>) : {};
}

/** The texts of a list; other values are left out. */
export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

/** The last reply: what went wrong, for the search UI and for search.log. `introduction`: what getinfo has not been told yet. */
export function tellFault(world: CommandContext, error: unknown, introduction: object): void {
  const text = inertText(faultText(error));
  try {
    world.output.write(encodeFrameHead({ ...introduction, inspector: { messages: [['ERROR', text]] }, finished: true }, 0));
  } catch (fault) {
    // Nobody reads: the log has it.
    if (!(fault instanceof OutputClosedError)) throw fault;
  }
  world.complain(text);
}

function faultText(error: unknown): string {
  if (error instanceof UsageError) return error.message;
  if (error instanceof FrameError || error instanceof CsvError)
    return `isMalicious: broken input: ${error.message}. Run the search again; if it stays, report it with the search.log.`;
  return `isMalicious: ${error instanceof Error ? error.message : 'unknown fault'}`;
}
