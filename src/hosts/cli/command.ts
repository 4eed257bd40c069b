// src/hosts/cli/: arguments in, text out. What the commands share; each has a file in `commands/`.
import type { AssistantEnd, AssistantStart } from '../../assistant/assistant-start.ts';
import type { SidecarEnd, SidecarStart } from '../../compose/sidecar-settings.ts';
import { wordTable } from '../../model/tables/word-table.ts';
import type { Synopsis } from './synopsis.ts';

/** Exit codes of the contract. */
export const EXIT = { ok: 0, failed: 1, usage: 2, partial: 3, busy: 4, malicious: 10, interrupted: 130 } as const;

/** Wrong use: the message says what is wrong and how to mend it; the program exits with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What a command may touch: data goes to `stdout`, words for people to `stderr`. */
export interface Io {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether words and tables may be coloured. */
  readonly hasColor: boolean;
  /** Whether progress may be drawn on stderr. */
  readonly hasProgress: boolean;
  /** Has `ended` called at the next Ctrl-C in place of the program's end; gives what takes that back. */
  readonly onInterrupt?: (ended: () => void) => () => void;
  /** Runs the sidecar, a host of its own: the program that has both brings it along. */
  readonly startSidecar?: (start: SidecarStart) => Promise<SidecarEnd>;
  /** Runs the MCP server, a host of its own as well. */
  readonly startMcp?: (start: AssistantStart) => Promise<AssistantEnd>;
  /** Command and first arguments that start this program once more; undefined: nobody knows. */
  readonly program?: readonly string[] | undefined;
  /** How many characters a line of stdout has; undefined: as many as it takes. */
  readonly columns?: number | undefined;
}

/** One command of the program. */
export interface Command {
  readonly synopsis: Synopsis;
  /** Resolves to the exit code. */
  run(args: readonly string[], io: Io): Promise<number>;
}

const AGE_UNITS_S = wordTable<number>({ s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 });
const DAY_S = 86_400;

/** A hundred years: every date that far from now can be written. */
const MAX_AGE_DAYS = 36_500;

/** `30m`, `24h`, `7d` or seconds, in seconds. */
export function parseAge(text: string, option: string): number {
  const match = /^(\d+)([smhdw]?)$/.exec(text.trim());
  if (!match) throw new UsageError(`${option} has to be a number with s, m, h, d or w, like 24h`);
  const ageS = Number(match[1]) * (AGE_UNITS_S.get(match[2] || 's') ?? 1);
  if (ageS > MAX_AGE_DAYS * DAY_S) throw new UsageError(`${option} has to be at most ${MAX_AGE_DAYS}d`);
  return ageS;
}

/** A number of seconds as milliseconds. */
export function parseSeconds(text: string, option: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0 || value > MAX_AGE_DAYS * DAY_S)
    throw new UsageError(`${option} has to be a number of seconds`);
  return Math.round(value * 1000);
}

/** A whole number, at least `least`; larger ones than can be told apart are refused. */
export function parseCount(text: string, option: string, least = 0): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < least)
    throw new UsageError(`${option} has to be a whole number, at least ${least}`);
  return value;
}
