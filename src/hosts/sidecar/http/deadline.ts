import type { IncomingMessage } from 'node:http';
import { headerOf } from './headers.ts';
import type { Refusal } from './replies.ts';

const LONGEST_MS = 600_000;

/** Milliseconds a call may take: its `timeout_ms` parameter, its `x-timeout-ms` header, or the setting. */
export function timeoutOf(req: IncomingMessage, query: URLSearchParams | null, settingMs: number): number | Refusal {
  const given = query?.get('timeout_ms') ?? headerOf(req, 'x-timeout-ms');
  if (given === undefined) return settingMs;
  const ms = Number(given);
  if (/^\d{1,6}$/.test(given) && ms >= 1 && ms <= LONGEST_MS) return ms;
  return {
    status: 400,
    code: 'invalid_timeout',
    message: `timeout_ms (or the header x-timeout-ms) is a whole number of milliseconds, 1 to ${LONGEST_MS}`,
  };
}
