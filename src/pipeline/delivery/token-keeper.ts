import { LookupError } from '../../model/lookup-error.ts';
import type { Output } from '../../outputs/output.ts';
import type { OutputSender } from './output-sender.ts';
import type { PipelineClock } from '../pipeline-clock.ts';

/** A token is fetched anew this long before it runs out. */
const MARGIN_MS = 60_000;

/** The token of one output: fetched once, kept while it holds. */
export interface TokenKeeper {
  /** Empty for an output that needs none. Rejects with a coded `LookupError`. */
  get(signal: AbortSignal): Promise<string>;
  /** The receiver no longer takes it. */
  drop(): void;
}

/** Keeps the token of `output`. */
export function keepToken(output: Output, context: { settings: unknown; sender: OutputSender; clock: PipelineClock }): TokenKeeper {
  const { settings, sender, clock } = context;
  const { signIn } = output;
  let kept: { token: string; untilMs: number } | null = null;
  return {
    async get(signal) {
      if (!signIn) return '';
      if (kept && clock.nowMs() < kept.untilMs - MARGIN_MS) return kept.token;
      const answer = await sender.perform(signIn.request(settings as never), signal);
      // Entra says 400 to a wrong secret, others 401 or 403: all of them need a person.
      if (answer.status >= 400 && answer.status < 429)
        throw new LookupError('unauthorized', output.id, `sign-in refused (HTTP ${answer.status}): check client id, secret and tenant`);
      if (answer.status >= 300) throw new LookupError('unavailable', output.id, `sign-in is out of order (HTTP ${answer.status})`);
      const { token, lifetimeS } = signIn.read(answer.body);
      kept = { token, untilMs: clock.nowMs() + lifetimeS * 1000 };
      return token;
    },
    drop() {
      kept = null;
    },
  };
}
