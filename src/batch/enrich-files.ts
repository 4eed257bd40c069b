import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { BatchError } from './batch-error.ts';
import type { EnrichJob } from './enrich-job.ts';
import { journalPath, readJournal, writeJournal } from './enrich-journal.ts';
import type { RunIdentity, RunPlace } from './enrich-journal.ts';
import type { RunCounts } from './run-counts.ts';
import { encodingOf, utf8Parts, type MarkRule } from '../model/formats/text-encoding.ts';
import { followFile } from './input/follow-file.ts';
import { isPackedOutput, openPackedOutput, openPlainOutput } from './output-file.ts';
import { behind, peekInput } from './input/peek-input.ts';
import { isPacked, unpack } from './input/unpack.ts';

/** What a run reads, writes, and counts. */
export interface RunFiles extends Pick<EnrichJob, 'input' | 'head' | 'hasOutput' | 'write' | 'done'> {
  /** Where an earlier run stopped; `null`: this one begins at the beginning. */
  readonly resumedFrom: RunPlace | null;
  /** Everything is written: the output is closed, and nothing is left to resume. */
  finish(): Promise<void>;
  /** The run broke off: what is there stays there, with its journal. */
  leave(): Promise<void>;
}

/** What a run is asked to read and write. `options`: everything that shapes the output, as text. */
export interface RunFilesOptions {
  readonly inputPath: string | undefined;
  readonly outPath: string | undefined;
  readonly options: string;
  readonly startsOver: boolean;
  readonly tally: RunCounts;
  readonly budget: { remaining: number } | undefined;
  /** Which byte order marks stay. */
  readonly marks: MarkRule;
  /** Reads on when the end is reached, until this aborts; `null`: the end is the end. */
  readonly follows: AbortSignal | null;
}

/** How a run gets at what is no plain file: `openInput` opens what is read, wherever it is; `stdout` takes what has no file. */
export interface RunStreams {
  readonly openInput: () => Promise<NodeJS.ReadableStream>;
  readonly stdout: NodeJS.WritableStream;
}

/** Opens input and output. From file to file, a journal beside the output keeps the place, so that a run which broke off goes on there. */
export async function openRunFiles(asked: RunFilesOptions, streams: RunStreams): Promise<RunFiles> {
  const { inputPath, outPath } = asked;
  if (outPath === undefined || outPath === '-') return toStream(await openText(asked, streams), streams.stdout);
  if (inputPath !== undefined && (await isSameFile(inputPath, outPath)))
    throw new BatchError(`${outPath} is the input itself: name another file with --out`);
  const identity = isPackedOutput(outPath) || asked.follows !== null ? null : await identityOf(asked);
  if (identity === null || !(await isPlainFile(outPath)))
    return await toFile(asked, { input: await openText(asked, streams), path: outPath, identity: null, from: null });
  const journal = journalPath(outPath);
  if (asked.startsOver) await rm(journal, { force: true });
  const from = readJournal(journal, identity);
  if (from === null) return await toFile(asked, { input: await openText(asked, streams), path: outPath, identity, from });
  await assertHolds(outPath, from);
  return await toFile(asked, { input: await openFrom(asked, identity.input, from.inputBytes), path: outPath, identity, from });
}

/** The input in UTF-8, unpacked. */
async function openText({ inputPath, marks, follows }: RunFilesOptions, { openInput }: RunStreams): Promise<AsyncIterable<Uint8Array>> {
  if (follows !== null && inputPath !== undefined && inputPath !== '-') return utf8Parts(followFile(inputPath, follows), marks);
  return utf8Parts(unpack(await openInput(), inputPath ?? 'standard input'), marks);
}

/** The same behind the first bytes of that text. */
async function openFrom({ marks }: RunFilesOptions, path: string, fromBytes: number): Promise<AsyncIterable<Uint8Array>> {
  const { head } = await peekInput(createReadStream(path, { end: HEAD_BYTES - 1 }), HEAD_BYTES);
  const { encoding, markBytes } = encodingOf(head);
  const isAsItIs = encoding === 'utf-8' && !isPacked(head) && (markBytes === 0 || marks !== 'drop');
  if (isAsItIs) return createReadStream(path, { start: fromBytes });
  return behind(utf8Parts(unpack(createReadStream(path), path), marks), fromBytes);
}

/** So many bytes tell how a file is written. */
const HEAD_BYTES = 1024;

function toStream(input: AsyncIterable<Uint8Array>, output: NodeJS.WritableStream): RunFiles {
  return {
    input,
    head: null,
    hasOutput: false,
    resumedFrom: null,
    async write(bytes) {
      // The stream may hold on to what it is given, and the bytes are their owner's again.
      if (!output.write(typeof bytes === 'string' ? bytes : Buffer.from(bytes)))
        await new Promise<void>((resolve) => output.once('drain', () => resolve()));
    },
    done: () => Promise.resolve(),
    finish: () => Promise.resolve(),
    leave: () => Promise.resolve(),
  };
}

interface Opened {
  readonly input: AsyncIterable<Uint8Array>;
  readonly path: string;
  /** `null`: a run that cannot be resumed. */
  readonly identity: RunIdentity | null;
  readonly from: RunPlace | null;
}

async function toFile({ tally, budget, marks }: RunFilesOptions, { input, path, identity, from }: Opened): Promise<RunFiles> {
  const file = isPackedOutput(path) ? await openPackedOutput(path) : await openPlainOutput(path, from?.outputBytes ?? null);
  let inputBytes = from?.inputBytes ?? 0;
  let outputBytes = from?.outputBytes ?? 0;
  if (from !== null) Object.assign(tally, structuredClone(from.tally));
  if (from !== null && budget !== undefined) budget.remaining = Math.min(budget.remaining, from.budget ?? budget.remaining);
  return {
    input,
    head: from === null || identity === null ? null : () => utf8Parts(unpack(createReadStream(identity.input), identity.input), marks),
    hasOutput: outputBytes > 0,
    resumedFrom: from,
    async write(bytes) {
      const whole = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
      await file.write(whole);
      outputBytes += whole.length;
    },
    done(count) {
      inputBytes += count;
      // Not synced to the disk: a killed process loses nothing of it, and after a power cut an output that is too short is told.
      if (identity !== null)
        writeJournal(journalPath(path), identity, {
          inputBytes,
          outputBytes,
          tally: structuredClone(tally),
          budget: budget?.remaining ?? null,
        });
      return Promise.resolve();
    },
    async finish() {
      await file.close();
      await rm(journalPath(path), { force: true });
    },
    leave: () => file.close(),
  };
}

/** `null`: what is no file cannot be read again from a place within it. */
async function identityOf({ inputPath, options }: RunFilesOptions): Promise<RunIdentity | null> {
  if (inputPath === undefined || inputPath === '-') return null;
  const found = await stat(inputPath).catch(() => null);
  if (found === null || !found.isFile()) return null;
  return { input: inputPath, inputSize: found.size, inputChangedMs: found.mtimeMs, options };
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([one, other].map((path) => stat(path).catch(() => null)));
  return first?.isFile() === true && second?.isFile() === true && first.ino === second.ino && first.dev === second.dev;
}

async function isPlainFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found === null || found.isFile();
}

async function assertHolds(path: string, { outputBytes }: RunPlace): Promise<void> {
  const size = (await stat(path).catch(() => null))?.size ?? 0;
  if (size < outputBytes) throw new BatchError(`${path} is shorter than its journal says: start over with --restart`);
}
