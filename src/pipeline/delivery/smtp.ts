import { type ClientCertificate, tlsOptionsOf } from '../../engine/calls/http/client-certificate.ts';
import net from 'node:net';
import tls from 'node:tls';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import { LookupError } from '../../model/lookup-error.ts';
import type { MailOutputCall, OutputAnswer } from '../../outputs/output.ts';

/** All that a server says in one session; a reply line has at most 512 bytes (RFC 5321 §4.5.3.1.5). */
const MAX_REPLY_BYTES = 256 * 1024;
/** How often the amount is looked at: between two looks a server says no more than a connection carries. */
const WATCH_MS = 50;

/** Bounds and surroundings of one message. */
export interface MailOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** PEM text of further certificate authorities; `null`: none. */
  readonly ca: string | null;
  /** Shown to a server that asks who calls; left out, `null`: none. */
  readonly client?: ClientCertificate | null;
  readonly now: Date;
}

/**
 * Hands a message to a mail server, always over verified TLS: from the first byte, or by STARTTLS before anything else is said. 4xx replies
 * become status 503, refused logins 401, other 5xx replies 400. When the server refuses some recipients, the others get the message all the
 * same, and the answer is that refusal: a part that was not delivered is never counted as delivered.
 */
export async function sendMail(call: MailOutputCall, options: MailOptions): Promise<OutputAnswer> {
  const { server } = call;
  const message = await toMimeMessage(call, options.now);
  const { default: Connection } = await import('nodemailer/lib/smtp-connection');
  let socket: net.Socket | null = null;
  let connection: SMTPConnection | null = null;
  // The library keeps a reply until its last line ends.
  const watch = setInterval(() => {
    if ((socket?.bytesRead ?? 0) > MAX_REPLY_BYTES) socket?.destroy(new Error('the mail server says too much'));
  }, WATCH_MS);
  // Whatever it waits for then, the library ends with an error when its socket is closed.
  const onAbort = () => connection?.close();
  options.signal.addEventListener('abort', onAbort, { once: true });
  try {
    options.signal.throwIfAborted();
    // A connection of our own: the library would ask DNS servers itself and pass over the hosts file.
    socket = await connect(server, options);
    connection = new Connection(toConnectionOptions(server, socket, options));
    const refusals = await transmit(connection, call, message);
    connection.quit();
    return answerTo(refusals, server);
  } catch (error) {
    connection?.close();
    socket?.destroy();
    const { responseCode, command } = error as SMTPConnection.SMTPError;
    const reason = withoutSecrets(options.signal.aborted ? 'cancelled' : (error as Error).message, server);
    // Replies to the greeting and to EHLO say nothing about this message: the server is out of order.
    if (responseCode !== undefined && command !== 'CONN' && command !== 'EHLO')
      return { status: statusOf(responseCode), headers: {}, body: reason.slice(0, 200) };
    throw new LookupError('unavailable', 'email', `mail server ${server.host}: ${reason}`);
  } finally {
    clearInterval(watch);
    options.signal.removeEventListener('abort', onAbort);
  }
}

function connect({ host, port }: MailOutputCall['server'], { timeoutMs, signal }: MailOptions): Promise<net.Socket> {
  const socket = net.connect({ host, port, signal });
  return new Promise((resolve, reject) => {
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

function toConnectionOptions(server: MailOutputCall['server'], socket: net.Socket, options: MailOptions): SMTPConnection.Options {
  const { timeoutMs, ca, client = null } = options;
  return {
    host: server.host,
    port: server.port,
    connection: socket,
    secure: server.security === 'tls',
    requireTLS: server.security === 'starttls',
    // Verified whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    tls: { rejectUnauthorized: true, ...(ca === null ? {} : { ca: [...tls.rootCertificates, ca] }), ...tlsOptionsOf(client) },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    logger: false,
  };
}

/** Connects, logs in and sends; resolves to the recipients' refusals. */
function transmit(connection: SMTPConnection, call: MailOutputCall, message: Buffer): Promise<readonly SMTPConnection.SMTPError[]> {
  const { server, from, to } = call;
  return new Promise((resolve, reject) => {
    connection.once('error', reject);
    connection.once('end', () => reject(new Error('hung up')));
    const send = () =>
      connection.send({ from, to: [...to] }, message, (error, info) => (error ? reject(error) : resolve(info.rejectedErrors ?? [])));
    connection.connect((error) => {
      if (error) reject(error);
      else if (server.user === '') send();
      else
        connection.login({ credentials: { user: server.user, pass: server.password } }, (refusal) => (refusal ? reject(refusal) : send()));
    });
  });
}

function answerTo(refusals: readonly SMTPConnection.SMTPError[], server: MailOutputCall['server']): OutputAnswer {
  if (refusals.length === 0) return { status: 200, headers: {}, body: null };
  const codes = refusals.map(({ responseCode }) => responseCode ?? 550);
  const reason = withoutSecrets(
    `${refusals.length} of the recipients refused: ${refusals.map(({ recipient, message }) => `${recipient}: ${message}`).join('; ')}`,
    server,
  );
  // One that may be taken later is tried again: the receivers drop a second copy by its Message-ID.
  return { status: codes.some((code) => code < 500) ? 503 : 400, headers: {}, body: reason.slice(0, 200) };
}

function statusOf(responseCode: number): number {
  if (responseCode === 535 || responseCode === 530) return 401;
  return responseCode >= 400 && responseCode < 500 ? 503 : 400;
}

/** A server may repeat what it was sent. */
function withoutSecrets(text: string, { user, password }: MailOutputCall['server']): string {
  if (password === '') return text;
  const forms = [password, ...[password, `\0${user}\0${password}`].map((form) => Buffer.from(form).toString('base64'))];
  return forms.reduce((shown, form) => shown.replaceAll(form, '********'), text);
}

/** A plain-text message: the library keeps values from breaking out of their headers; base64, so that no dot or long line matters. */
async function toMimeMessage({ from, to, subject, text, messageId }: MailOutputCall, now: Date): Promise<Buffer> {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer');
  const composer = new MailComposer({
    from,
    to: [...to],
    subject,
    text,
    date: now,
    messageId: `<${messageId}@${from.slice(from.lastIndexOf('@') + 1)}>`,
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const message = composer.compile();
  message.setHeader('Content-Transfer-Encoding', 'base64');
  return await message.build();
}
