import type { IncomingMessage, ServerResponse } from 'node:http';

/** Why a call is refused. Callers branch on `code`; `message` is one line for people: what is wrong and what to do. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Up to this length an answer is handed over as a latin1 string, a character a byte: Node joins that with the head and writes both in
 * one call from the stack, where a buffer beside the head takes a gathered write.
 */
export const SHORT_BYTES = 12 * 1024;

/** Answers with bytes; `headers`: name, value, name, value. */
export function sendBytes(res: ServerResponse, contentType: string, body: Buffer, headers: readonly string[] = []): void {
  res.writeHead(200, ['content-type', contentType, 'content-length', String(body.length), ...headers]);
  if (body.length <= SHORT_BYTES) res.end(body.toString('latin1'), 'latin1');
  else res.end(body);
}

/** Answers with JSON; a name in `headers` is lower case. */
export function sendJson(res: ServerResponse, status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): void {
  const body = JSON.stringify(value);
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers });
  res.end(body);
}

/** How long what a caller is still sending is read and thrown away: closing on it would take the answer from under its eyes. */
const LINGER_MS = 1000;

/** Answers with JSON a call whose body may still be on its way; that is not waited for, the connection ends soon after the answer. */
export function sendEarly(
  { req, res }: { readonly req: IncomingMessage; readonly res: ServerResponse },
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (req.complete) return sendJson(res, status, value, headers);
  const body = JSON.stringify(value);
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers, connection: 'close' });
  res.write(body);
  const timer = setTimeout(() => res.end(), LINGER_MS);
  req.once('end', () => res.end());
  req.resume();
  res.once('close', () => clearTimeout(timer));
  return undefined;
}

/** Answers `{"error":{"code","message"}}`, whether the caller has sent everything or not. */
export function sendRefusal(req: IncomingMessage, res: ServerResponse, refusal: Refusal): void {
  sendEarly({ req, res }, refusal.status, refusalBody(refusal), refusal.headers);
}

/** The body that `sendRefusal` sends. */
export function refusalBody({ code, message }: Pick<Refusal, 'code' | 'message'>): { error: { code: string; message: string } } {
  return { error: { code, message } };
}
