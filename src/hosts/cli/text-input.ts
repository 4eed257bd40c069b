import { createReadStream } from 'node:fs';
import { utf8Parts } from '../../model/formats/text-encoding.ts';
import { UsageError } from './command.ts';
import { unpack } from '../../batch/input/unpack.ts';

/** Lines without their ends, in UTF-8, UTF-16 or UTF-32, packed or not; empty ones are left out. `path`: how the input is called. */
export async function readLines(input: AsyncIterable<Uint8Array | string>, path: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of linesOf(input, path)) if (line.trim() !== '') lines.push(line);
  return lines;
}

/** The lines of a text, without their ends (LF, CR LF, CR) and without byte order mark. */
export async function* linesOf(input: AsyncIterable<Uint8Array | string>, path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const part of utf8Parts(unpack(input, path), 'drop')) {
    const text = decoder.decode(part, { stream: true });
    rest += text;
    if (!LINE_END.test(text)) continue;
    // A return at the end may be half of a line end.
    const end = rest.endsWith('\r') ? rest.length - 1 : rest.length;
    const lines = rest.slice(0, end).split(LINE_END);
    rest = (lines.pop() ?? '') + rest.slice(end);
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== '') yield* rest.replace(/\r$/, '').split(LINE_END);
}

const LINE_END = /\r\n|\n|\r/;

/** The file named by the user, or stdin for `-` and for none. */
export async function openInput(path: string | undefined, stdin: NodeJS.ReadableStream): Promise<NodeJS.ReadableStream> {
  if (path === undefined || path === '-') return stdin;
  const stream = createReadStream(path);
  await new Promise<void>((resolve, reject) => {
    stream.once('open', () => resolve());
    stream.once('error', (error: NodeJS.ErrnoException) => reject(new UsageError(`${path} cannot be read (${error.code ?? 'unknown'})`)));
  });
  return stream;
}
