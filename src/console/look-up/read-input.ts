import { callJson } from '../page/call.ts';
import type { Input } from './input.ts';
import { type Find, readText } from './read-text.ts';

/** What was found in the next piece of an input. */
interface ReadPart {
  readonly finds: readonly Find[];
  /** How much of its size was read. */
  readonly read: number;
  /** What could not be read, and why. */
  readonly notes: readonly string[];
}

/** Reads an input: a text here, a piece at a time; anything else is opened by the sidecar. */
export async function* readInput(input: Input, signal: AbortSignal): AsyncGenerator<ReadPart> {
  if (input.text !== null) {
    for await (const { finds, read } of readText(input.text, signal)) yield { finds, read, notes: [] };
    return;
  }
  const { indicators, unread = [] } = await callJson<FileAnswer>('v1/extract?unique=true', { body: input.bytes, signal });
  const notes = unread.map(({ part, reason }) => `${input.name}: ${part === '' ? '' : `${part}: `}${reason}`);
  yield { finds: indicators, read: input.size, notes };
}

interface FileAnswer {
  readonly indicators: readonly Find[];
  readonly unread?: readonly { readonly part: string; readonly reason: string }[];
}
