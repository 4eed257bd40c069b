import { createWriteStream, existsSync, openSync, closeSync, fstatSync, readSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { openEngine } from '../../../compose/open-engine.ts';
import { EcsSettings, ecsDetailOf } from '../../../config/ecs-settings.ts';
import { type Command, EXIT, type Io, UsageError } from '../command.ts';
import { parseOptions } from '../parse-options.ts';
import { REPEATED_TAG } from '../../../batch/mark-repeated.ts';
import { type ReplayOutput, type Replayed, replayFile } from '../../../batch/replay-file.ts';
import { keptPathOf } from '../../../batch/taken-spool.ts';
import { replaySynopsis } from '../synopses/engines.ts';
import { warn } from '../messages.ts';

/** `ismalicious replay FILE …` */
export const replay: Command = {
  synopsis: replaySynopsis,
  async run(args, io) {
    const { values, words } = parseOptions(args, replaySynopsis);
    if (words.length === 0) throw new UsageError('replay needs at least one spool file.');
    const opening = { env: io.env, configPath: values.config, profile: values.profile, blocks: { ecs: EcsSettings } };
    const { engine, config, warnings } = await openEngine(opening);
    const detail = ecsDetailOf(config.blocks);
    warn(io, warnings);
    await warnOfLeftovers(io, words);
    try {
      let kept = 0;
      for (const path of new Set(words.map((word) => word.replace(/\.taken$/, '')))) {
        const done = await replayFile(path, engine, { ...openOutput(values.out, io), detail });
        kept += done.kept + done.unreadable;
        io.stderr.write(`${path}: ${wordsOf(path, done)}\n`);
      }
      return kept === 0 ? EXIT.ok : EXIT.partial;
    } finally {
      await engine.close();
    }
  },
};

function wordsOf(path: string, { replayed, kept, unreadable, repeated }: Replayed): string {
  return [
    `${replayed} events enriched`,
    `${kept} kept for another time${kept === 0 ? '' : ` in ${keptPathOf(path)}`}`,
    ...(unreadable === 0 ? [] : [`${unreadable} lines that are not events put into ${path}.unreadable`]),
    ...(repeated === 0 ? [] : [`${repeated} perhaps given out before, by a run that was ended: tagged ${REPEATED_TAG}`]),
  ].join(', ');
}

/** What killed runs left in the folders of these files, and nobody asked for now. */
async function warnOfLeftovers(io: Io, words: readonly string[]): Promise<void> {
  const asked = new Set(words.map((word) => resolve(word.replace(/\.taken$/, ''))));
  for (const folder of new Set([...asked].map((path) => dirname(path)))) {
    const names = await readdir(folder).catch(() => []);
    const left = names.filter((name) => name.endsWith('.taken')).map((name) => join(folder, name.slice(0, -'.taken'.length)));
    warn(
      io,
      left
        .filter((path) => !asked.has(path))
        .map((path) => `${path}.taken was left by a replay that was ended: replay ${path} goes on with it`),
    );
  }
}

/** Written to a file, every line begins on a line of its own, also where a killed run stopped inside one. */
function openOutput(path: string | undefined, io: Io): ReplayOutput {
  const stream = path === undefined ? io.stdout : createWriteStream(path, { flags: 'a', mode: 0o600 });
  if (path !== undefined && endsInsideLine(path)) stream.write('\n');
  return {
    write: (text) => new Promise((done, reject) => stream.write(text, (error) => (error ? reject(error) : done()))),
    async end() {
      if (path === undefined) return;
      stream.end();
      await finished(stream);
    },
  };
}

function endsInsideLine(path: string): boolean {
  if (!existsSync(path)) return false;
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const last = Buffer.alloc(1);
    return size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last.toString() !== '\n';
  } finally {
    closeSync(file);
  }
}
