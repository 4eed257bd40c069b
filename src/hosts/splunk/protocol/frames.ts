import type { ByteSource } from '../../../rows/byte-streams.ts';
import { LF } from '../../../rows/csv-cells.ts';
import type { RowBlock } from '../../../rows/row-block.ts';

/** One request: `chunked 1.0,<metadata bytes>,<body bytes>\n`, metadata as JSON, body as CSV. */
export interface Frame extends RowBlock {
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Input that is no protocol v2. The message never quotes the input: it may hold a session key. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

const WORD = Buffer.from('chunked');
// splunklib accepts blanks here, so splunkd may send them.
const HEAD = /^chunked[ \t]+1\.0[ \t]*,[ \t]*(\d{1,15})[ \t]*,[ \t]*(\d{1,15})[ \t]*\r?$/;
const MAX_HEAD_BYTES = 256;
const MAX_METADATA_BYTES = 16 << 20;
// limits.conf [search] max_rawsize_perchunk is 100 MB; positions in a chunk are 32-bit.
const MAX_BODY_BYTES = 1 << 30;
// Stryker disable next-line NumericLiteral: how much is read at once is a matter of speed
const AHEAD_BYTES = 1 << 16;

/** Reads frames into one buffer that is sized from their header and used again for the next. */
export class FrameReader {
  readonly #source: ByteSource;
  /** Bytes read but not used: `#ahead[#from, #to)`. */
  readonly #ahead = Buffer.allocUnsafeSlow(AHEAD_BYTES);
  // Stryker disable next-line NumericLiteral: nothing is there before the first read
  #from = 0;
  #to = 0;
  // Stryker disable next-line NumericLiteral: too small for any frame
  #frame = Buffer.alloc(0);

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** The next frame; `null` at the end of the input. Throws `FrameError` for anything else. */
  async next(): Promise<Frame | null> {
    const head = await this.#readHead();
    if (head === null) return null;
    const [, metadataText, bodyText] = HEAD.exec(head) ?? [];
    if (metadataText === undefined || bodyText === undefined)
      throw new FrameError('a frame does not begin with "chunked 1.0,<bytes>,<bytes>"');
    const metadataBytes = Number(metadataText);
    const bodyBytes = Number(bodyText);
    if (metadataBytes > MAX_METADATA_BYTES)
      throw new FrameError(`a frame announces ${metadataBytes} bytes of metadata; at most ${MAX_METADATA_BYTES} are read`);
    if (bodyBytes > MAX_BODY_BYTES)
      throw new FrameError(`a frame announces ${bodyBytes} bytes of rows; at most ${MAX_BODY_BYTES} are read`);
    await this.#readBytes(metadataBytes + bodyBytes);
    this.#frame[metadataBytes + bodyBytes] = LF;
    return {
      metadata: parseMetadata(this.#frame.toString('utf8', 0, metadataBytes)),
      bytes: this.#frame,
      bodyFrom: metadataBytes,
      bodyEnd: metadataBytes + bodyBytes,
    };
  }

  async #readHead(): Promise<string | null> {
    for (;;) {
      const found = this.#ahead.subarray(this.#from, this.#to);
      const line = found.indexOf(LF);
      if (line >= 0) {
        this.#from += line + 1;
        return found.toString('latin1', 0, line);
      }
      const known = Math.min(found.length, WORD.length);
      if (found.length >= MAX_HEAD_BYTES || found.compare(WORD, 0, known, 0, known) !== 0)
        throw new FrameError('the input is not the chunked protocol');
      this.#ahead.copyWithin(0, this.#from, this.#to);
      this.#to = found.length;
      this.#from = 0;
      const count = await this.#source.read(this.#ahead, this.#to, AHEAD_BYTES - this.#to);
      if (count === 0 && this.#to === 0) return null;
      if (count === 0) throw new FrameError('the input ends inside the first line of a frame');
      this.#to += count;
    }
  }

  async #readBytes(size: number): Promise<void> {
    if (this.#frame.length <= size) {
      // Let go of first, and made with room to spare: chunks differ by little, and each buffer outgrown lies about until the next collection.
      // Stryker disable next-line NumericLiteral: too small for any frame
      this.#frame = Buffer.alloc(0);
      this.#frame = Buffer.allocUnsafeSlow(Math.max(size + 1 + (size >> 3), AHEAD_BYTES));
    }
    let have = Math.min(size, this.#to - this.#from);
    this.#ahead.copy(this.#frame, 0, this.#from, this.#from + have);
    this.#from += have;
    while (have < size) {
      const answer = this.#source.read(this.#frame, have, size - have);
      const count = typeof answer === 'number' ? answer : await answer;
      if (count === 0) throw new FrameError(`the input ends ${size - have} bytes before the end of a frame`);
      have += count;
    }
  }
}

/** The bytes of a reply before its body. */
export function encodeFrameHead(metadata: object, bodyBytes: number): Buffer {
  const json = Buffer.from(JSON.stringify(metadata));
  return Buffer.concat([Buffer.from(`chunked 1.0,${json.length},${bodyBytes}\n`), json]);
}

function parseMetadata(text: string): Record<string, unknown> {
  let metadata: unknown;
  try {
    metadata = JSON.parse(text);
  } catch {
    // V8's message quotes the text.
    throw new FrameError('the metadata of a frame is not JSON');
  }
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    throw new FrameError('the metadata of a frame is not a JSON object');
  return metadata as Record<string, unknown>;
}
