import type { ByteSink } from '../../../rows/byte-streams.ts';
import { type ReplyRows, RowWriter } from '../../../rows/row-writer.ts';
import { encodeFrameHead } from './frames.ts';

/** Writes replies: frames of the protocol around the rows. */
export class ReplyWriter {
  readonly #sink: ByteSink;
  readonly #rows: RowWriter;

  constructor(sink: ByteSink) {
    this.#sink = sink;
    this.#rows = new RowWriter(sink);
  }

  /** A reply without rows. */
  writeBare(metadata: object): void {
    this.#sink.write(encodeFrameHead(metadata, 0));
  }

  /** A reply with the header and the rows of a chunk. */
  writeRows(metadata: object, reply: ReplyRows): void {
    this.#rows.writeBehind((bodyBytes) => encodeFrameHead(metadata, bodyBytes), reply);
  }
}
