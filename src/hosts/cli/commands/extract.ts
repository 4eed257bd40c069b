import { extractFromFile, extractFromText } from '../../../extract/extract.ts';
import { fileKind, isBinary } from '../../../extract/file-kind.ts';
import { isPicture } from '../../../extract/file-signature.ts';
import type { Extracted } from '../../../extract/extracted.ts';
import { type Command, EXIT, type Io } from '../command.ts';
import { parseOptions } from '../parse-options.ts';
import { extractSynopsis } from '../synopses/look-up.ts';
import { inertText } from '../../../model/formats/inert-text.ts';
import { defangForReading } from '../../../model/defang.ts';
import { openInput } from '../text-input.ts';
import { createTextReader, encodingOf } from '../../../model/formats/text-encoding.ts';

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
    let count = 0;
    const onUnread = (part: string, reason: string) => void io.stderr.write(`warning: not read: ${inertText(`${part}: ${reason}`)}\n`);
    for await (const found of extractFromStream(input, onUnread)) {
      count++;
      const key = `${found.type} ${found.value}`;
      if (values.unique && seen.has(key)) continue;
      if (values.unique && seen.size < MAX_UNIQUE) seen.add(key);
      await print(io, values.json === true ? toJson(found) : `${found.type.padEnd(12)} ${defangForReading(found.value)}`);
    }
    if (count === 0) io.stderr.write('No indicators found.\n');
    return EXIT.ok;
  },
};

function toJson({ type, value, original, offset }: Extracted): string {
  return JSON.stringify({ type, value, original, offset });
}

async function print(io: Io, line: string): Promise<void> {
  if (!io.stdout.write(`${line}\n`)) await new Promise<void>((resolve) => io.stdout.once('drain', () => resolve()));
}

/** Longer mails and documents are read up to here. */
const MAX_FILE_BYTES = 64 << 20;
/** How much is read before it is known what it is, in bytes: a block of text is no shorter. */
const HEAD_BYTES = 1 << 20;

/** Readers that are loaded with the first such file. */
const READERS = {
  openPdf: async (bytes: Uint8Array) => (await import('../../../extract/files/open-pdf.ts')).openPdf(bytes),
  openOutlook: async (bytes: Uint8Array) => (await import('../../../extract/mail/open-outlook.ts')).openOutlook(bytes),
  openImage: async (bytes: Uint8Array) => (await import('../../../extract/files/open-image.ts')).openImage(bytes),
};

/** What the file itself is called where parts of it have names. */
const WHOLE = 'file';

type OnUnread = (part: string, reason: string) => void;

/** A mail, a page or a document is read as a whole, for its parts are encoded; anything else as it comes. */
async function* extractFromStream(input: NodeJS.ReadableStream, onUnread: OnUnread): AsyncGenerator<Extracted> {
  const parts = input[Symbol.asyncIterator]();
  const head = await readUpTo(parts, HEAD_BYTES);
  const isText = fileKind(head) === 'text';
  if (isText && isBinary(head)) throw new Error('no text in it: this is a binary file that extract cannot read');
  if (isText) return yield* extractFromParts(head, { [Symbol.asyncIterator]: () => parts });
  const file = Buffer.concat([head, await readUpTo(parts, MAX_FILE_BYTES - head.length)]);
  if (file.length >= MAX_FILE_BYTES) onUnread(WHOLE, `only its first ${MAX_FILE_BYTES} bytes are read`);
  const shut: string[] = [];
  const note: OnUnread = (part, reason) => {
    if (part === WHOLE) shut.push(reason);
    onUnread(part, reason);
  };
  const found = await extractFromFile(file, { ...READERS, onUnread: note });
  if (found.length === 0 && shut[0] !== undefined && !isPicture(file)) throw new Error(`nothing in it could be read: ${shut[0]}`);
  if (found.length === 0 && isPicture(file)) throw new Error('no text in it: this is a picture, and no QR code in it names an indicator');
  yield* found;
}

async function readUpTo(parts: AsyncIterator<string | Buffer>, sizeBytes: number): Promise<Buffer> {
  const read: Buffer[] = [];
  let size = 0;
  while (size < sizeBytes) {
    const part = await parts.next();
    if (part.done === true) break;
    const bytes = Buffer.from(part.value);
    read.push(bytes);
    size += bytes.length;
  }
  return Buffer.concat(read);
}

async function* extractFromParts(head: Buffer, rest: AsyncIterable<string | Buffer>): AsyncGenerator<Extracted> {
  const decoder = createTextReader(encodingOf(head).encoding);
  let text = decoder.decode(head);
  let base = 0;
  for await (const part of rest) {
    text += typeof part === 'string' ? part : decoder.decode(part);
    if (text.length < BLOCK_CHARS) continue;
    const end = text.lastIndexOf('\n') + 1 || (text.length > MAX_LINE_CHARS ? text.length : 0);
    if (end === 0) continue;
    yield* extractBlock(text.slice(0, end), base);
    base += end;
    text = text.slice(end);
  }
  yield* extractBlock(text + decoder.decode(Buffer.alloc(0), true), base);
}

function* extractBlock(text: string, base: number): Generator<Extracted> {
  for (const found of extractFromText(text)) yield base === 0 ? found : { ...found, offset: found.offset + base };
}
