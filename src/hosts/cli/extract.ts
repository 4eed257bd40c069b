import { StringDecoder } from 'node:string_decoder';
import { extractFromFile, extractFromText } from '../../engine/extract.ts';
import { looksLikeEmail } from '../../model/extract/extract-from-email.ts';
import type { Extracted } from '../../model/extract/extracted.ts';
import { type Command, EXIT, type Io } from './command.ts';
import { parseOptions } from './parse-options.ts';
import { extractSynopsis } from './synopses/look-up.ts';
import { defang } from './table-words.ts';
import { openInput } from './text-input.ts';

/** Texts are read in blocks of whole lines of about this length; a longer line is cut there. */
const BLOCK_CHARS = 1 << 20;
const MAX_LINE_CHARS = 16 << 20;
/** Distinct indicators remembered for `--unique`. */
const MAX_UNIQUE = 5_000_000;

/** `ismalicious extract [FILE|-]` */
export const extract: Command = {
  synopsis: extractSynopsis,
  async run(args, io) {
    const { values, words } = parseOptions(args, extractSynopsis);
    const input = await openInput(words[0], io.stdin);
    const seen = new Set<string>();
    for await (const found of extractFromStream(input)) {
      const key = `${found.type} ${found.value}`;
      if (values.unique && seen.has(key)) continue;
      if (values.unique && seen.size < MAX_UNIQUE) seen.add(key);
      await print(io, values.json === true ? toJson(found) : `${found.type.padEnd(12)} ${defang(found.value)}`);
    }
    return EXIT.ok;
  },
};

function toJson({ type, value, original, offset }: Extracted): string {
  return JSON.stringify({ type, value, original, offset });
}

async function print(io: Io, line: string): Promise<void> {
  if (!io.stdout.write(`${line}\n`)) await new Promise<void>((resolve) => io.stdout.once('drain', () => resolve()));
}

/** Longer mails are read up to here. */
const MAX_MAIL_BYTES = 64 << 20;

/** A mail is read as a whole, for its parts are encoded; anything else as it comes. */
async function* extractFromStream(input: NodeJS.ReadableStream): AsyncGenerator<Extracted> {
  const parts = input[Symbol.asyncIterator]();
  const first = await parts.next();
  if (first.done === true) return;
  const head = Buffer.from(first.value);
  if (!looksLikeEmail(head)) return yield* extractFromParts(head, { [Symbol.asyncIterator]: () => parts });
  const mail = [head];
  let size = head.length;
  for (let part = await parts.next(); part.done !== true && size < MAX_MAIL_BYTES; part = await parts.next()) {
    mail.push(Buffer.from(part.value));
    size += part.value.length;
  }
  yield* extractFromFile(Buffer.concat(mail));
}

async function* extractFromParts(head: Buffer, rest: AsyncIterable<string | Buffer>): AsyncGenerator<Extracted> {
  const decoder = new StringDecoder('utf8');
  let text = decoder.write(head);
  let base = 0;
  for await (const part of rest) {
    text += typeof part === 'string' ? part : decoder.write(part);
    if (text.length < BLOCK_CHARS) continue;
    const end = text.lastIndexOf('\n') + 1 || (text.length > MAX_LINE_CHARS ? text.length : 0);
    if (end === 0) continue;
    yield* extractBlock(text.slice(0, end), base);
    base += end;
    text = text.slice(end);
  }
  yield* extractBlock(text + decoder.end(), base);
}

function* extractBlock(text: string, base: number): Generator<Extracted> {
  for (const found of extractFromText(text)) yield base === 0 ? found : { ...found, offset: found.offset + base };
}
