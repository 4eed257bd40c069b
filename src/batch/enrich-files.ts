import { createReadStream } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { BatchError } from './batch-error.ts';
import type { EnrichJob } from './enrich-job.ts';
import { journalPath, readJournal, writeJournal } from './enrich-journal.ts';
import type { RunIdentity, RunPlace } from './enrich-journal.ts';
import type { RunCounts } from './run-counts.ts';

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
}

/** How a run gets at what is no plain file: `openInput` opens what is read, wherever it is; `stdout` takes what has no file. */
export interface RunStreams {
  readonly openInput: () => Promise<NodeJS.ReadableStream>;
  readonly stdout: NodeJS.WritableStream;
}

/** Opens input and output. From file to file, a journal beside the output keeps the place, so that a run which broke off goes on there. */
export async function openRunFiles(asked: RunFilesOptions, { openInput, stdout }: RunStreams): Promise<RunFiles> {
  const { inputPath, outPath } = asked;
  if (outPath === undefined || outPath === '-') return toStream(await openInput(), stdout);
  if (inputPath !== undefined && (await isSameFile(inputPath, outPath)))
    throw new BatchError(`${outPath} is the input itself: name another file with --out`);
  const identity = await identityOf(asked);
  if (identity === null || !(await isPlainFile(outPath))) {
    const input = await openInput();
    return await toFile(asked, { input, path: outPath, identity: null, from: null });
  }
  const journal = journalPath(outPath);
  if (asked.startsOver) await rm(journal, { force: true });
  const from = readJournal(journal, identity);
  if (from !== null) await assertHolds(outPath, from);
  const input = createReadStream(identity.input, { start: from?.inputBytes ?? 0 });
  return await toFile(asked, { input, path: outPath, identity, from });
}

function toStream(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): RunFiles {
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
  readonly input: NodeJS.ReadableStream;
  readonly path: string;
  /** `null`: a run that cannot be resumed. */
  readonly identity: RunIdentity | null;
  readonly from: RunPlace | null;
}

async function toFile({ tally, budget }: RunFilesOptions, { input, path, identity, from }: Opened): Promise<RunFiles> {
  const file = await openOutput(path, from);
  let inputBytes = from?.inputBytes ?? 0;
  let outputBytes = from?.outputBytes ?? 0;
  if (from !== null) Object.assign(tally, from.tally);
  if (from !== null && budget !== undefined) budget.remaining = Math.min(budget.remaining, from.budget ?? budget.remaining);
  return {
    input,
    head: from === null || identity === null ? null : () => createReadStream(identity.input),
    hasOutput: outputBytes > 0,
    resumedFrom: from,
    async write(bytes) {
      const whole = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
      await file.writeFile(whole);
      outputBytes += whole.length;
    },
    done(count) {
      inputBytes += count;
      // Not synced to the disk: a killed process loses nothing of it, and after a power cut an output that is too short is told.
      if (identity !== null)
        writeJournal(journalPath(path), identity, { inputBytes, outputBytes, tally: { ...tally }, budget: budget?.remaining ?? null });
      return Promise.resolve();
    },
    async finish() {
      await file.close();
      await rm(journalPath(path), { force: true });
    },
    leave: () => file.close(),
  };
}

/** Opened for adding behind what an earlier run has noted as done; what it wrote beyond that is cut off. */
async function openOutput(path: string, from: RunPlace | null): Promise<FileHandle> {
  try {
    if (from === null) return await open(path, 'w');
    const file = await open(path, 'a');
    await file.truncate(from.outputBytes);
    return file;
  } catch (error) {
    throw new BatchError(`${path} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
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
