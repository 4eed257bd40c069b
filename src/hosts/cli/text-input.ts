import { createReadStream } from 'node:fs';
import { utf8Parts } from '../../model/formats/text-encoding.ts';
import { INDICATOR_TYPES } from '../../model/indicator.ts';
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
/** The value in a line: the line itself, or what `extract` wrote of one (`ipv4-addr    198[.]51[.]100[.]7`, or a JSON object). */
export function valueOfLine(line: string): string {
  const text = line.trim();
  if (text.startsWith('{')) return valueInJson(text) ?? line;
  const [, type = '', value = ''] = /^(\S+)\s+(\S+)$/.exec(text) ?? [];
  return (INDICATOR_TYPES as readonly string[]).includes(type) ? value : line;
}

function valueInJson(text: string): string | null {
  try {
    const found = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const value = found['value'] ?? found['indicator'];
    return typeof value === 'string' ? value : null;
  } catch {
    // A line that only begins like an object is looked up as it is, and said to be invalid.
    return null;
  }
}

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
