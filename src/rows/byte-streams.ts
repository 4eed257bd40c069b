/** Where requests come from. */
export interface ByteSource {
  /** Fills up to `length` bytes of `target` from `offset`; how many, 0 at the end of the input. A promise when it has to wait. */
  read(target: Uint8Array, offset: number, length: number): number | Promise<number>;
  /**
   * While nothing is read: calls `closed` when the other side gives up, that is, closes its end with nothing left to read.
   * An end that was there from the beginning is none: the whole input lay ready (a file, a replay). Answers how to stop watching.
   */
  watch(closed: () => void): () => void;
  /** Lets go of the input, so that it does not keep the process alive. */
  close(): void;
}

/** Where replies go. */
export interface ByteSink {
  /** Writes all of `bytes`, waiting as long as the reader takes. Throws `OutputClosedError` when nobody reads any more. */
  write(bytes: Uint8Array): void;
  /** While nothing is written: calls `closed` when nobody reads any more, where that can be known. Answers how to stop watching. */
  watch?(closed: () => void): () => void;
}

/** The reader of our replies is gone: nothing is left to do. */
export class OutputClosedError extends Error {
  override readonly name = 'OutputClosedError';
}
