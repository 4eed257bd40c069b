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

/** Bodies that are kept for a second try, at most: those of searches. */
const KEPT_BYTES = 64 * 1024;
/** Methods that change nothing, so that a call may be made again (RFC 9110 §9.2.2). */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Connections that may turn out to be closed, one after the other, before that is the answer. */
const MOST_TRIES = 100;

/** Sends a call on as it is, and its answer back as it is. */
export function forward(forwarding: Forwarding): void {
  const { req, res } = forwarding;
  if (!isRepeatable(req)) {
    const out = start(forwarding);
    answerWith(out, res, req);
    return sendAlong(req, out);
  }
  if (!hasBody(req)) return tryAgainAndAgain(forwarding, null);
  const parts: Buffer[] = [];
  req.on('data', (part: Buffer) => parts.push(part));
  req.once('end', () => tryAgainAndAgain(forwarding, Buffer.concat(parts)));
  return undefined;
}

function start({ req, upstream, without }: Forwarding): ClientRequest {
  return upstream.request(req.method ?? 'GET', req.url ?? '/', bodyHeaders(req, headersToForward(req, without)));
}

/** A body of unknown length keeps its chunks; one that is announced, or none, stays as announced. */
function bodyHeaders(req: IncomingMessage, headers: string[]): string[] {
  return req.headers['transfer-encoding'] === undefined ? headers : [...headers, 'transfer-encoding', 'chunked'];
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function isRepeatable(req: IncomingMessage): boolean {
  if (!SAFE.has(req.method ?? '')) return false;
  return req.headers['transfer-encoding'] === undefined && Number(req.headers['content-length'] ?? 0) <= KEPT_BYTES;
}

/** Sends the body as it comes. When the answer is there before its end, the rest is read and thrown away, or the caller would not see it. */
function sendAlong(req: IncomingMessage, out: ClientRequest): void {
  req.pipe(out);
  const throwAway = () => {
    if (req.complete) return;
    req.unpipe(out);
    req.resume();
  };
  out.once('response', (answer) => {
    if (req.complete) return;
    throwAway();
    answer.once('close', () => out.destroy());
  });
  out.once('close', throwAway);
}

/**
 * A kept connection may have been closed by the other side just before it is used: then nobody has seen the call, or nobody has answered
 * it, and it is made once more. Each such connection is gone after its try, and a fresh one gives an answer or the reason why there is none.
 */
function tryAgainAndAgain(forwarding: Forwarding, body: Buffer | null, tries = 1): void {
  const { req, res } = forwarding;
  if (res.destroyed) return;
  const out = start(forwarding);
  const again = (error: Error) => out.reusedSocket && tries < MOST_TRIES && isClosed(error);
  answerWith(out, res, req, (error) => {
    if (!again(error)) return false;
    tryAgainAndAgain(forwarding, body, tries + 1);
    return true;
  });
  out.end(body ?? undefined);
}

function isClosed(error: Error): boolean {
  const code = codeOf(error);
  return code === 'ECONNRESET' || code === 'EPIPE';
}

/**
 * Gives the upstream's answer to the caller as it comes, or says that there is none. When either side goes away, the other is let go.
 * `isMended`: takes a fault without any answer before it is told, and whether it does, to begin anew.
 */
export function answerWith(
  out: ClientRequest,
  res: ServerResponse,
  req: IncomingMessage,
  isMended: (error: Error) => boolean = () => false,
): void {
  const letGo = () => {
    if (!res.writableFinished) out.destroy();
  };
  out.once('response', (answer) => {
    try {
      res.writeHead(answer.statusCode ?? 502, (answer.statusMessage ?? '').replace(NO_REASON, ' '), headersToForward(answer));
    } catch {
      // A head that our own HTTP would not write: the upstream's fault, told as such by the listener of errors below.
      return void out.destroy(new Error('its answer has a head that is not HTTP'));
    }
    return void pipeline(answer, res, () => undefined);
  });
  out.on('error', (error) => {
    if (res.headersSent) return void res.destroy();
    if (res.destroyed) return undefined;
    res.off('close', letGo);
    if (isMended(error)) return undefined;
    const isLate = error instanceof UpstreamTimeout;
    return sendRefusal(req, res, {
      status: isLate ? 504 : 502,
      code: isLate ? 'upstream_timeout' : 'upstream_unavailable',
      message: isLate
        ? 'the engine behind the gateway did not answer in time: send the request again'
        : `the engine behind the gateway cannot be reached (${codeOf(error)}): send the request again`,
    });
  });
  res.once('close', letGo);
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
