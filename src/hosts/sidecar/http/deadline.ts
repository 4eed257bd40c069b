import type { IncomingMessage } from 'node:http';
import { headerOf } from './headers.ts';
import type { Refusal } from './replies.ts';

const LONGEST_MS = 600_000;

/** Milliseconds a call may take: its `timeout_ms` parameter, its `x-timeout-ms` header, or the setting. */
export function timeoutOf(req: IncomingMessage, query: URLSearchParams | null, settingMs: number): number | Refusal {
  const inQuery = query?.get('timeout_ms') ?? undefined;
  const inHeader = headerOf(req, 'x-timeout-ms');
  if (inQuery === undefined && inHeader === undefined) return settingMs;
  const ms = millisecondsOf(inQuery ?? inHeader);
  // One that does not count is still not to be nonsense: somebody believes in it.
  if (ms !== null && (inHeader === undefined || millisecondsOf(inHeader) !== null)) return ms;
  return {
    status: 400,
    code: 'invalid_timeout',
    message: `timeout_ms (or the header x-timeout-ms) is a whole number of milliseconds, 1 to ${LONGEST_MS}`,
  };
}

function millisecondsOf(given: string | undefined): number | null {
  const ms = Number(given);
  return given !== undefined && /^\d{1,6}$/.test(given) && ms >= 1 && ms <= LONGEST_MS ? ms : null;
}
