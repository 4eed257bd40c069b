import { LookupError } from '../../model/lookup-error.ts';
import type { EngineAnswer, EngineClient } from '../engine-client.ts';

/** How often a call is tried in all; the waits double from one second: half a minute. */
const TRIES = 6;
const FIRST_WAIT_MS = 1000;

/** A client that waits for an engine which is busy, restarting or not to be reached. What it answers otherwise is passed on. */
export function createPatientClient(engine: EngineClient, wait: (ms: number) => Promise<void>): EngineClient {
  return {
    name: engine.name,
    async call(method, path, body) {
      for (let attempt = 1; ; attempt++) {
        const outcome = await engine.call(method, path, body).catch((fault: unknown) => asPassing(fault, path));
        const isLast = attempt === TRIES;
        if (!(outcome instanceof LookupError)) {
          if (isLast || !isBusy(outcome)) return outcome;
        } else if (isLast) throw outcome;
        await wait(FIRST_WAIT_MS * 2 ** (attempt - 1));
      }
    },
  };
}

function isBusy({ status }: EngineAnswer): boolean {
  return status === 429 || status === 502 || status === 503 || status === 504;
}

/** The fault when it may pass; else it is thrown. A page of a scroll is given out once: asked for again, it would be passed over. */
function asPassing(fault: unknown, path: string): LookupError {
  const isPassing = fault instanceof LookupError && (fault.code === 'unavailable' || fault.code === 'timeout');
  if (!isPassing || path.startsWith('/_search/scroll')) throw fault;
  return fault;
}
