import type { Engine } from '../../../engine/engine.ts';
import type { Io } from '../command.ts';

/** A call that is out is paid for: its answer is waited for at most so long before the program ends. */
const MOST_MS = 10_000;

/** Waits for the calls that are out, so that their answers go to the cache; says so when there are some, and when one is lost. */
export async function finishCalls(engine: Engine, io: Io): Promise<void> {
  const count = engine.inFlight();
  if (count === 0) return;
  io.stderr.write(`Waiting up to ${MOST_MS / 1000} s for ${calls(count)} that ${count === 1 ? 'is' : 'are'} still out, for the cache.\n`);
  await engine.finish(MOST_MS);
  const lost = engine.inFlight();
  if (lost > 0)
    io.stderr.write(`The ${lost === 1 ? 'answer' : 'answers'} of ${calls(lost)} did not come and ${lost === 1 ? 'is' : 'are'} lost.\n`);
}

function calls(count: number): string {
  return count === 1 ? '1 call' : `${count} calls`;
}
