import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';

/*
 * An engine that refuses a long body answers (413, 429) and closes while the body is still being written. The answer has arrived by
 * then, but Node's sockets end with the first write that fails, and take it along unread. Here a write that fails since the other side
 * has closed counts as done: reading goes on to the answer, or to the end of the connection, which says that there is none.
 */

type Write = NonNullable<Duplex['_write']>;
type Writev = NonNullable<Duplex['_writev']>;
type Done = (error?: Error | null) => void;

/** An agent over plain connections. */
export class PatientAgent extends http.Agent {
  override createConnection(...args: Parameters<http.Agent['createConnection']>): Duplex | null | undefined {
    return patient(super.createConnection(...args));
  }
}

/** An agent over TLS. */
export class PatientTlsAgent extends https.Agent {
  override createConnection(...args: Parameters<https.Agent['createConnection']>): Duplex | null | undefined {
    return patient(super.createConnection(...args));
  }
}

function patient(socket: Duplex | null | undefined): Duplex | null | undefined {
  if (socket === null || socket === undefined) return socket;
  let isClosed = false;
  const write: Write = socket._write.bind(socket);
  const writev: Writev | undefined = socket._writev?.bind(socket);
  const patiently =
    (done: Done): Done =>
    (error) => {
      if (!isAway(error)) return done(error);
      isClosed = true;
      return done();
    };
  socket._write = (chunk, encoding, done) => (isClosed ? done() : write(chunk, encoding, patiently(done)));
  if (writev !== undefined) socket._writev = (chunks, done) => (isClosed ? done() : writev(chunks, patiently(done)));
  return socket;
}

function isAway(error: Error | null | undefined): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EPIPE' || error.code === 'ECONNRESET');
}
