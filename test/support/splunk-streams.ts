import { OutputClosedError } from '../../src/rows/byte-streams.ts';
import type { ByteSink, ByteSource } from '../../src/rows/byte-streams.ts';
import { converse } from '../../src/hosts/splunk/protocol/search-conversation.ts';
import type { OpenEnricher, Surroundings } from '../../src/hosts/splunk/protocol/search-conversation.ts';
import type { Enricher } from '../../src/engine/enricher.ts';
import { readCsv } from './csv-oracle.ts';
import type { OracleTable } from './csv-oracle.ts';

/** A request or a reply, taken apart. */
export interface WireFrame {
  readonly metadata: Record<string, unknown>;
  readonly body: string;
}

/** Builds one frame. */
export function frameOf(metadata: unknown, body: string | Buffer = ''): Buffer {
  const json = Buffer.from(typeof metadata === 'string' ? metadata : JSON.stringify(metadata));
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(`chunked 1.0,${json.length},${bytes.length}\n`), json, bytes]);
}

/** A getinfo request for `| ismalicious <args>`. */
export function getinfoOf(args: readonly string[], rawArgs: readonly string[] = args): Buffer {
  return frameOf({
    action: 'getinfo',
    preview: false,
    searchinfo: { args, raw_args: rawArgs, session_key: 'secret-session-key', app: 'ismalicious' },
  });
}

/** An execute request. */
export function executeOf(body: string, finished = true): Buffer {
  return frameOf({ action: 'execute', finished }, body);
}

/** Takes a stream of frames apart; throws for one that is not framed correctly to the last byte. */
export function readFrames(stream: Buffer): WireFrame[] {
  const frames: WireFrame[] = [];
  let at = 0;
  while (at < stream.length) {
    const lineEnd = stream.indexOf(10, at);
    const head = /^chunked 1\.0,(\d+),(\d+)$/.exec(stream.toString('latin1', at, lineEnd));
    if (head === null) throw new Error(`no frame at byte ${at}`);
    const bodyFrom = lineEnd + 1 + Number(head[1]);
    const end = bodyFrom + Number(head[2]);
    if (end > stream.length) throw new Error(`the frame at byte ${at} is cut off`);
    const metadata: unknown = JSON.parse(stream.toString('utf8', lineEnd + 1, bodyFrom));
    frames.push({ metadata: metadata as Record<string, unknown>, body: stream.toString('utf8', bodyFrom, end) });
    at = end;
  }
  return frames;
}

/** Input from memory, `piece` bytes a read; `cancel` plays a splunkd that gives the search up. */
export class MemoryInput implements ByteSource {
  readonly #bytes: Buffer;
  readonly #piece: number;
  isClosed = false;
  #at = 0;
  #closed: (() => void) | null = null;

  constructor(bytes: Buffer, piece = Infinity) {
    this.#bytes = bytes;
    this.#piece = piece;
  }

  read(target: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.#piece, this.#bytes.length - this.#at);
    target.set(this.#bytes.subarray(this.#at, this.#at + count), offset);
    this.#at += count;
    return count;
  }

  watch(closed: () => void): () => void {
    this.#closed = closed;
    return () => {
      this.#closed = null;
    };
  }

  close(): void {
    this.isClosed = true;
  }

  cancel(): void {
    this.#closed?.();
  }

  get isWatched(): boolean {
    return this.#closed !== null;
  }
}

/** Output to memory; after `limit` bytes the reader is gone. */
export class MemoryOutput implements ByteSink {
  readonly pieces: Buffer[] = [];
  readonly #limit: number;
  #size = 0;

  constructor(limit = Infinity) {
    this.#limit = limit;
  }

  write(bytes: Uint8Array): void {
    this.#size += bytes.length;
    if (this.#size > this.#limit) throw new OutputClosedError('closed');
    this.pieces.push(Buffer.from(bytes));
  }

  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }
}

/** What came of one conversation. */
export interface Replayed {
  readonly status: number;
  readonly output: Buffer;
  readonly replies: readonly WireFrame[];
  /** The tables of the execute replies. */
  readonly tables: readonly OracleTable[];
  readonly messages: readonly (readonly [string, string])[];
  readonly complaints: readonly string[];
  /** How often the engine was opened. */
  readonly opened: number;
}

/** Plays a request stream to the command. */
export async function replay(
  input: Buffer | ByteSource,
  enricher: Enricher,
  options: { now?: () => number; open?: OpenEnricher; remember?: Surroundings['remember'] } = {},
): Promise<Replayed> {
  const output = new MemoryOutput();
  const complaints: string[] = [];
  let opened = 0;
  const open: OpenEnricher = (search, providers, profile) => {
    opened++;
    return options.open?.(search, providers, profile) ?? Promise.resolve({ engine: enricher, warnings: [] });
  };
  const status = await converse({
    input: Buffer.isBuffer(input) ? new MemoryInput(input) : input,
    output,
    now: options.now ?? (() => 1_700_000_000_000),
    open,
    complain: (line) => complaints.push(line),
    ...(options.remember ? { remember: options.remember } : {}),
  });
  const replies = readFrames(output.bytes);
  const messages = replies.flatMap((reply) => (reply.metadata.inspector as { messages: [string, string][] } | undefined)?.messages ?? []);
  return {
    status,
    output: output.bytes,
    replies,
    tables: replies.slice(1).map((reply) => readCsv(reply.body)),
    messages,
    complaints,
    opened,
  };
}
