import { createHash } from 'node:crypto';
import type { Clock } from '../../../engine/clock.ts';
import type { Metrics } from '../../../compose/figures/metrics.ts';
import type { Fail } from './call.ts';
import { refusalOf } from './fault-refusal.ts';
import { sendRefusal } from './replies.ts';

/** The same fault is told again after this long, with how often it came meanwhile. */
const TELL_AGAIN_MS = 60_000;
/** Kinds of faults that are told apart; beyond it the oldest is forgotten. */
const MAX_KINDS = 200;
const MAX_CHARACTERS = 300;
/** Characters of a path that the log repeats. */
const SHOWN_PATH = 200;

/** Throws that nobody expected: each is counted, and each kind is logged once under an id, so that a caller cannot fill the disk with them. */
export interface Faults {
  /** Notes a throw; gives the id under which the log has it. `where`: what was being done, without query and body. */
  note(where: string, error: unknown): string;
}

interface Kind {
  toldMs: number;
  untold: number;
}

/** What faults are told with. */
export interface FaultsOptions {
  readonly metrics: Pick<Metrics, 'add'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Takes one line. */
  readonly log: (line: string) => void;
}

/** No faults yet. */
export function createFaults({ metrics, clock, log }: FaultsOptions): Faults {
  const kinds = new Map<string, Kind>();
  return {
    note(where, error) {
      metrics.add('faults', 1);
      const text = `${where}: ${wordsOf(error)}`;
      const id = createHash('sha256').update(text).digest('hex').slice(0, 8);
      const nowMs = clock.monotonicMs();
      const known = kinds.get(id);
      if (known !== undefined && nowMs - known.toldMs < TELL_AGAIN_MS) {
        known.untold++;
        return id;
      }
      const more = known === undefined || known.untold === 0 ? '' : ` (${known.untold} more since it was last logged)`;
      kinds.delete(id);
      for (const oldest of kinds.keys()) if (kinds.size >= MAX_KINDS) kinds.delete(oldest);
      kinds.set(id, { toldMs: nowMs, untold: 0 });
      log(`fault ${id}: ${text}${more}`);
      return id;
    },
  };
}

/** Costs a call what was thrown: the log gets its kind and place, the caller an id to find it there by. A caller that has gone away is no fault. */
export function failCalls(faults: Faults): Fail {
  return ({ req, res }, error, refuse) => {
    if (error instanceof Error && error.name === 'AbortError') return;
    const id = faults.note(`${req.method ?? ''} ${(req.url ?? '').split('?', 1)[0]?.slice(0, SHOWN_PATH) ?? ''}`, error);
    if (res.headersSent) return void res.destroy();
    const kind = refusalOf(error);
    const refusal = { ...kind, message: `${kind.message}, see "fault ${id}"` };
    try {
      if (refuse === undefined) sendRefusal(req, res, refusal);
      else refuse({ req, res }, refusal);
    } catch (second) {
      faults.note('the answer to a fault', second);
      res.destroy();
    }
  };
}

/** Kind, message and place of a fault in one line. The message of a parser repeats what it read, so it is left out. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown fault';
  const message = error instanceof SyntaxError ? '' : `: ${error.message}`;
  const place = /([\w.-]+\.[cm]?[jt]s:\d+:\d+)/.exec(error.stack?.slice(String(error).length) ?? '')?.[1];
  return `${error.name}${message}`.replace(/\p{C}+/gu, ' ').slice(0, MAX_CHARACTERS) + (place === undefined ? '' : ` (at ${place})`);
}
