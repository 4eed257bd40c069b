import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { sendRefusal } from '../http/replies.ts';
import { headersToForward, UpstreamTimeout } from './upstream.ts';
import type { Upstream } from './upstream.ts';

/** One call and its way to the upstream. */
export interface Forwarding {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly upstream: Upstream;
  /** Headers that do not go on. */
  readonly without: readonly string[];
}

/** What may not stand in a reason phrase (RFC 9112 §4). */
const NO_REASON = /[^\t\u0020-\u007e\u0080-\u00ff]/g;

/** Sends a call on as it is, and its answer back as it is. */
export function forward(forwarding: Forwarding): void {
  const { req, res, upstream, without } = forwarding;
  const out = upstream.request(req.method ?? 'GET', req.url ?? '/', bodyHeaders(req, headersToForward(req, without)));
  answerWith(out, res, req);
  pipeline(req, out, () => undefined);
}

/** A body of unknown length keeps its chunks; one that is announced, or none, stays as announced. */
function bodyHeaders(req: IncomingMessage, headers: string[]): string[] {
  return req.headers['transfer-encoding'] === undefined ? headers : [...headers, 'transfer-encoding', 'chunked'];
}

/** Gives the upstream's answer to the caller as it comes, or says that there is none. When either side goes away, the other is let go. */
export function answerWith(out: ClientRequest, res: ServerResponse, req: IncomingMessage): void {
  out.once('response', (answer) => {
    try {
      res.writeHead(answer.statusCode ?? 502, (answer.statusMessage ?? '').replace(NO_REASON, ' '), headersToForward(answer));
    } catch {
      // A head that our own HTTP would not write: the upstream's fault, told as such by the listener of errors below.
      return void out.destroy(new Error('its answer has a head that is no HTTP'));
    }
    return void pipeline(answer, res, () => undefined);
  });
  out.on('error', (error) => {
    if (res.headersSent) return void res.destroy();
    if (res.destroyed) return undefined;
    const isLate = error instanceof UpstreamTimeout;
    return sendRefusal(req, res, {
      status: isLate ? 504 : 502,
      code: isLate ? 'upstream_timeout' : 'upstream_unavailable',
      message: isLate
        ? 'the engine behind the gateway did not answer in time: send the request again'
        : `the engine behind the gateway cannot be reached (${codeOf(error)}): send the request again`,
    });
  });
  res.once('close', () => {
    if (!res.writableFinished) out.destroy();
  });
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
