import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import * as z from 'zod/mini';

const count = () => z.int().check(z.gte(0));

const BackfillCounts = z.object({
  /** Documents that were read. */
  scanned: count(),
  updated: count(),
  /** Held no value that is looked up after all. */
  withoutValues: count(),
  /** Had been enriched by somebody else meanwhile. */
  alreadyDone: count(),
  /** A look-up failed: left as they were, for another run. */
  later: count(),
  /** Changed under our hands again and again, or had no place for a verdict. */
  conflicts: count(),
  gone: count(),
  /** The engine does not take the update. */
  refused: count(),
  /** Paid look-ups. */
  paid: count(),
});

/** What a run has done so far. */
export type BackfillCounts = z.infer<typeof BackfillCounts>;

const State = z.object({
  version: z.literal(1),
  /** Digest of what is looked for: a state is only taken up by the same run. */
  key: z.string(),
  startedAt: z.iso.datetime(),
  /** Documents newer than this are none of this run's business. */
  until: z.string(),
  /** Everything newer is done, milliseconds since 1970; `null`: nothing is. */
  reachedMs: z.nullable(z.number()),
  finishedAt: z.nullable(z.iso.datetime()),
  tally: BackfillCounts,
  /** The first of the refused, for people. */
  refusals: z.array(z.object({ index: z.string(), id: z.string(), reason: z.string() })),
});

/** Where a run stands. */
export type BackfillState = z.infer<typeof State>;

/** Keeps a run's state across runs. */
export interface StateKeeper {
  /** `null`: no run has left one. */
  load(): BackfillState | null;
  /** Whole or not at all, also when the machine goes down in the middle. */
  save(state: BackfillState): void;
}

/** A state that is not ours to go on with. */
export class StateFault extends Error {
  override readonly name = 'StateFault';
}

/** Nothing done yet. */
export function noCounts(): BackfillCounts {
  return { scanned: 0, updated: 0, withoutValues: 0, alreadyDone: 0, later: 0, conflicts: 0, gone: 0, refused: 0, paid: 0 };
}

/** Keeps the state in a file, readable by its owner only. */
export function createStateFile(path: string): StateKeeper {
  return {
    load() {
      if (!existsSync(path)) return null;
      const parsed = State.safeParse(parseJson(readFileSync(path, 'utf8')));
      if (!parsed.success) throw new StateFault(`${path} is not the state of a backfill: give another --state, or remove it`);
      return parsed.data;
    },
    save(state) {
      mkdirSync(dirname(path), { recursive: true });
      const fresh = `${path}.${process.pid}.new`;
      const file = openSync(fresh, 'w', 0o600);
      writeSync(file, `${JSON.stringify(state, null, 2)}\n`);
      fsyncSync(file);
      closeSync(file);
      renameSync(fresh, path);
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
