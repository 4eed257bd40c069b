import { fstatSync, readSync, writeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { OutputClosedError } from '../../../rows/byte-streams.ts';
import type { ByteSink, ByteSource } from '../../../rows/byte-streams.ts';
import { watchReader } from './reader-watch.ts';

// Most waits for answers from disk are over by then; only longer ones pay for a watch.
const WATCH_AFTER_MS = 20;
// An end of input seen this soon after the watch began was there before it.
const ALREADY_CLOSED_MS = 30;
const MAX_QUEUED_BYTES = 1 << 20;
const RETRY_WRITE_MS = 2;

/** The stream of stdin as Node sees it; only asked for when a wait begins, since it takes milliseconds to load. */
export type OpenStream = () => Readable;

/**
 * Standard input, read synchronously straight into the caller's buffer. From the first watch (or the first read of a pipe
 * that does not block) it is read as a stream, so that its end shows while the program waits for a network.
 * A blocking read kept outstanding in the thread pool would show it too, but holds up the exit of the process.
 */
export class StandardInput implements ByteSource {
  readonly #descriptor: number;
  readonly #openStream: OpenStream;
  #stream: Readable | null = null;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #isEnded = false;
  #wake: (() => void) | null = null;
  #closed: (() => void) | null = null;

  constructor(descriptor = 0, openStream: OpenStream = () => process.stdin) {
    this.#descriptor = descriptor;
    this.#openStream = openStream;
  }

  read(target: Uint8Array, offset: number, length: number): number | Promise<number> {
    if (this.#stream !== null) return this.#readQueue(target, offset, length);
    try {
      return readSync(this.#descriptor, target, offset, length, null);
    } catch (error) {
      if (codeOf(error) === 'EOF' || codeOf(error) === 'ECONNRESET') return 0;
      if (codeOf(error) !== 'EAGAIN') throw error;
      this.#startStream();
      return this.#readQueue(target, offset, length);
    }
  }

  watch(closed: () => void): () => void {
    // The end of a file says nothing about the search.
    if (this.#isEnded || fstatSync(this.#descriptor).isFile()) return () => undefined;
    let startedMs = 0;
    const start = () => {
      startedMs = performance.now();
      this.#closed = () => {
        if (performance.now() - startedMs > ALREADY_CLOSED_MS) closed();
      };
      if (this.#stream === null) this.#startStream();
    };
    const timer = setTimeout(start, WATCH_AFTER_MS);
    return () => {
      clearTimeout(timer);
      this.#closed = null;
    };
  }

  close(): void {
    this.#stream?.destroy();
  }

  #startStream(): void {
    const stream = this.#openStream();
    this.#stream = stream;
    const end = () => {
      if (this.#isEnded) return;
      this.#isEnded = true;
      this.#wake?.();
      if (this.#queue.length === 0) this.#closed?.();
    };
    stream.on('data', (bytes: Buffer) => {
      this.#queue.push(bytes);
      this.#queuedBytes += bytes.length;
      if (this.#queuedBytes > MAX_QUEUED_BYTES) stream.pause();
      this.#wake?.();
    });
    stream.on('end', end);
    stream.on('close', end);
    stream.on('error', end);
  }

  async #readQueue(target: Uint8Array, offset: number, length: number): Promise<number> {
    while (this.#queue.length === 0 && !this.#isEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = null;
    const [first] = this.#queue;
    if (first === undefined) return 0;
    const taken = Math.min(length, first.length);
    target.set(first.subarray(0, taken), offset);
    if (taken === first.length) this.#queue.shift();
    else this.#queue[0] = first.subarray(taken);
    this.#queuedBytes -= taken;
    if (this.#queuedBytes === 0 && this.#stream?.isPaused()) this.#stream.resume();
    return taken;
  }
}

/** Standard output, written synchronously: a reply is out when `write` returns, whatever ends the process then. */
export class StandardOutput implements ByteSink {
  readonly #descriptor: number;
  readonly #pause = new Int32Array(new SharedArrayBuffer(4));

  constructor(descriptor = 1) {
    this.#descriptor = descriptor;
  }

  write(bytes: Uint8Array): void {
    let offset = 0;
    while (offset < bytes.length) {
      try {
        offset += writeSync(this.#descriptor, bytes, offset);
      } catch (error) {
        if (codeOf(error) === 'EPIPE' || codeOf(error) === 'ECONNRESET')
          throw new OutputClosedError('the reader of the replies is gone', { cause: error });
        if (codeOf(error) !== 'EAGAIN') throw error;
        // The pipe is full and does not block; a search that shows nothing yet may take its time.
        Atomics.wait(this.#pause, 0, 0, RETRY_WRITE_MS);
      }
    }
  }

  watch(closed: () => void): () => void {
    return watchReader(this.#descriptor, closed);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
