import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { systemClock } from '../../../engine/clock.ts';
import type { Enricher } from '../../../engine/enricher.ts';
import { openEngine } from '../../../compose/open-engine.ts';
import { type Command, EXIT, type Io, UsageError } from '../command.ts';
import { parseOptions } from '../parse-options.ts';
import { createReplayer } from '../../../batch/replay-lines.ts';
import { replaySynopsis } from '../synopses/engines.ts';
import { warn } from '../messages.ts';
import { linesOf } from '../text-input.ts';

const BATCH_LINES = 200;

/** `ismalicious replay FILE …` */
export const replay: Command = {
  synopsis: replaySynopsis,
  async run(args, io) {
    const { values, words } = parseOptions(args, replaySynopsis);
    if (words.length === 0) throw new UsageError('replay needs at least one spool file.');
    const { engine, warnings } = await openEngine({ env: io.env, configPath: values.config });
    warn(io, warnings);
    try {
      let kept = 0;
      for (const path of words) {
        const done = await replayFile(path, engine, openOutput(values.out, io));
        kept += done.kept;
        io.stderr.write(`${path}: ${done.replayed} events enriched, ${done.kept} kept for another time\n`);
      }
      return kept === 0 ? EXIT.ok : EXIT.partial;
    } finally {
      await engine.close();
    }
  },
};

/** Where enriched events go: bytes are with the system when `end` resolves. */
export interface ReplayOutput {
  write(text: string): Promise<void>;
  end(): Promise<void>;
}

/** Replays one spool file. What could not be looked up is all that is left in it; when nothing is, it is removed. */
export async function replayFile(path: string, enricher: Enricher, output: ReplayOutput): Promise<{ replayed: number; kept: number }> {
  const input = createReadStream(path);
  await new Promise<void>((resolve, reject) => {
    input.once('open', () => resolve());
    input.once('error', (error: NodeJS.ErrnoException) => reject(new UsageError(`${path} cannot be read (${error.code ?? 'unknown'})`)));
  });
  const replayer = createReplayer(enricher, systemClock);
  const rest = `${path}.${process.pid}.rest`;
  const file = await open(rest, 'w', 0o600);
  let replayed = 0;
  let kept = 0;
  try {
    for await (const lines of batchesOf(input, path)) {
      const outcome = await replayer.replay(lines);
      replayed += outcome.enriched.length;
      kept += outcome.kept.length;
      await output.write(outcome.enriched.map((line) => `${line}\n`).join(''));
      await file.write(outcome.kept.map((line) => `${line}\n`).join(''));
    }
    await output.end();
    await file.sync();
  } catch (fault) {
    await file.close();
    await rm(rest, { force: true });
    throw fault;
  }
  await file.close();
  // Only now that everything else is safe does the spool forget it.
  if (kept > 0) await rename(rest, path);
  else {
    await rm(rest);
    await rm(path);
  }
  return { replayed, kept };
}

async function* batchesOf(input: NodeJS.ReadableStream, path: string): AsyncGenerator<string[]> {
  let lines: string[] = [];
  for await (const line of linesOf(input, path)) {
    if (line.trim() !== '') lines.push(line);
    if (lines.length < BATCH_LINES) continue;
    yield lines;
    lines = [];
  }
  if (lines.length > 0) yield lines;
}

function openOutput(path: string | undefined, io: Io): ReplayOutput {
  const stream = path === undefined ? io.stdout : createWriteStream(path, { flags: 'a', mode: 0o600 });
  return {
    write: (text) => new Promise((resolve, reject) => stream.write(text, (error) => (error ? reject(error) : resolve()))),
    async end() {
      if (path === undefined) return;
      stream.end();
      await finished(stream);
    },
  };
}
