import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { BatchError } from './batch-error.ts';
import type { RunCounts } from './run-counts.ts';

/** How far a run got: so much of its input stands, enriched, in so much of its output. */
export interface RunPlace {
  readonly inputBytes: number;
  readonly outputBytes: number;
  readonly tally: RunCounts;
  /** Look-ups it may still pay; `null`: no limit. */
  readonly budget: number | null;
}

/** What a run is of: another input, or other options, is another run. */
export interface RunIdentity {
  readonly input: string;
  readonly inputSize: number;
  readonly inputChangedMs: number;
  /** Everything that shapes the output, as text. */
  readonly options: string;
}

const VERSION = 1;

/** Where the journal of an output is. */
export function journalPath(out: string): string {
  return `${out}.journal`;
}

/** The place in a journal; `null`: there is none. Throws for the journal of another run. */
export function readJournal(path: string, identity: RunIdentity): RunPlace | null {
  const text = readIfThere(path);
  if (text === null) return null;
  const found = parse(text);
  if (found === null || JSON.stringify(found.identity) !== JSON.stringify(identity)) {
    throw new BatchError(
      `${path} belongs to a run with another input or other options: finish that one, or start over with --restart (it overwrites the output)`,
    );
  }
  return found.place;
}

/** Notes the place. A reader finds the old journal or the new one, never half of one. */
export function writeJournal(path: string, identity: RunIdentity, place: RunPlace): void {
  const fresh = `${path}.new`;
  writeFileSync(fresh, `${JSON.stringify({ version: VERSION, identity, place })}\n`);
  renameSync(fresh, path);
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function parse(text: string): { identity: RunIdentity; place: RunPlace } | null {
  try {
    const found = JSON.parse(text) as { version?: unknown; identity: RunIdentity; place: RunPlace };
    return found.version === VERSION ? found : null;
  } catch {
    return null;
  }
}
