import net from 'node:net';
import { createInterface } from 'node:readline';
import tls from 'node:tls';
import { hostname } from 'node:os';
import { LookupError } from '../../model/lookup-error.ts';
import type { MailOutputCall, OutputAnswer } from '../../outputs/output.ts';
import { toMimeMessage } from './mime-message.ts';

/** All that a server says in one session; a reply line has at most 512 bytes (RFC 5321 §4.5.3.1.5). */
const MAX_REPLY_BYTES = 256 * 1024;

/** Bounds and surroundings of one message. */
export interface MailOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** PEM text of further certificate authorities; `null`: none. */
  readonly ca: string | null;
  readonly now: Date;
}

/**
 * Hands a message to a mail server (RFC 5321), always over verified TLS: from the first byte, or by STARTTLS before anything else is
 * said. 4xx replies become status 503, refused logins 401, other 5xx replies 400.
 */
export async function sendMail(call: MailOutputCall, options: MailOptions): Promise<OutputAnswer> {
  const { server } = call;
  const secure = {
    host: server.host,
    servername: net.isIP(server.host) ? '' : server.host,
    // Said outright, for the environment could say otherwise (NODE_TLS_REJECT_UNAUTHORIZED).
    rejectUnauthorized: true,
    ...(options.ca === null ? {} : { ca: [...tls.rootCertificates, options.ca] }),
  };
  let session: Session | null = null;
  try {
    const socket = server.security === 'tls' ? tls.connect({ ...secure, port: server.port }) : net.connect(server.port, server.host);
    session = openSession(socket, options);
    await session.expect(220);
    await session.say(`EHLO ${hostname()}`, 250);
    if (server.security === 'starttls') {
      await session.say('STARTTLS', 220);
      session.detach();
      session = openSession(tls.connect({ ...secure, socket }), options);
      await session.say(`EHLO ${hostname()}`, 250);
    }
    if (server.user !== '') await session.say(`AUTH PLAIN ${Buffer.from(`\0${server.user}\0${server.password}`).toString('base64')}`, 235);
    await session.say(`MAIL FROM:<${call.from}>`, 250);
    for (const to of call.to) await session.say(`RCPT TO:<${to}>`, 250);
    await session.say('DATA', 354);
    await session.say(`${toMimeMessage(call, options.now)}\r\n.`, 250);
    session.close();
    return { status: 200, headers: {}, body: null };
  } catch (error) {
    session?.close();
    if (error instanceof SmtpReply) return { status: error.status, headers: {}, body: error.message };
    throw new LookupError('unavailable', 'email', `mail server ${server.host}: ${(error as Error).message}`, { cause: error });
  }
}

/** A reply that was not the one hoped for. */
class SmtpReply extends Error {
  override readonly name = 'SmtpReply';
  readonly status: number;

  constructor(code: number, text: string) {
    super(`${code} ${text}`.slice(0, 200));
    this.status = code === 535 || code === 530 ? 401 : code >= 400 && code < 500 ? 503 : 400;
  }
}

interface Session {
  expect(code: number): Promise<void>;
  say(line: string, code: number): Promise<void>;
  /** Stops listening, so that TLS can take the socket over. */
  detach(): void;
  close(): void;
}

function openSession(socket: net.Socket, { timeoutMs, signal }: MailOptions): Session {
  const fail = (reason: string) => () => void socket.destroy(new Error(reason));
  const abort = fail('cancelled');
  socket.setTimeout(timeoutMs, fail(`no reply within ${timeoutMs} ms`));
  signal.addEventListener('abort', abort, { once: true });
  let received = 0;
  socket.on('data', (part: Buffer) => {
    received += part.length;
    if (received > MAX_REPLY_BYTES) socket.destroy(new Error(`replies longer than ${MAX_REPLY_BYTES} bytes`));
  });
  const lines = createInterface({ input: socket, crlfDelay: Infinity });
  let fault: Error | null = null;
  socket.on('error', (error) => {
    fault ??= error;
  });
  const end = () => lines.close();
  socket.once('close', end);
  const replies = readReplies(lines);
  const session: Session = {
    async expect(code) {
      const { value } = await replies.next();
      if (!value) throw fault ?? new Error('hung up');
      if (value.code !== code) throw new SmtpReply(value.code, value.text);
    },
    async say(line, code) {
      socket.write(`${line}\r\n`);
      await session.expect(code);
    },
    detach() {
      socket.off('close', end);
      lines.close();
      socket.removeAllListeners('data');
      socket.setTimeout(0);
    },
    close() {
      signal.removeEventListener('abort', abort);
      socket.end('QUIT\r\n');
      socket.setTimeout(1000, () => socket.destroy());
    },
  };
  return session;
}

/** Replies may span lines: `250-first`, `250 last` (RFC 5321 §4.2.1). */
async function* readReplies(lines: AsyncIterable<string>): AsyncGenerator<{ code: number; text: string }, undefined> {
  for await (const line of lines) if (/^\d{3}( |$)/.test(line)) yield { code: Number(line.slice(0, 3)), text: line.slice(4) };
  return undefined;
}
