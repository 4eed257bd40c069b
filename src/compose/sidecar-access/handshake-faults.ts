import type { TLSSocket } from 'node:tls';
import { wordTable } from '../../model/tables/word-table.ts';

/** Whoever can connect can fail: one line in this time tells of all of them. */
const QUIET_MS = 60_000;

const REASONS = wordTable<string>({
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'it showed no certificate, and sidecar.tls_client_ca_file asks for one',
  ERR_SSL_HTTP_REQUEST: 'it spoke plain http: its URL has to begin with https://',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it speaks nothing later than TLS 1.1',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'it does not know who signed our certificate: give it that authority',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'it refused our certificate: give it the authority that signed it',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'it refused our certificate: give it the authority that signed it',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'it did not finish in time',
});

/** Tells the log why callers cannot connect: they are told by their own side only that they cannot. */
export function createHandshakeFaults(log: (line: string) => void, nowMs: () => number) {
  let quietUntilMs = -Infinity;
  let untold = 0;
  return (error: NodeJS.ErrnoException, socket: TLSSocket): void => {
    const reason = reasonOf(error, socket);
    if (reason === null) return;
    untold++;
    if (nowMs() < quietUntilMs) return;
    quietUntilMs = nowMs() + QUIET_MS;
    const others = untold > 1 ? ` (and ${untold - 1} before it)` : '';
    untold = 0;
    log(`TLS: ${socket.remoteAddress ?? 'a caller'} could not connect: ${reason}${others}`);
  };
}

/** `null`: it went away before anything was wrong, as what watches ports does. */
function reasonOf({ code = 'unknown' }: NodeJS.ErrnoException, { authorizationError }: TLSSocket): string | null {
  // Node declares an error here and gives a code.
  const refused: unknown = authorizationError;
  if (typeof refused === 'string') return `its certificate was refused (${refused}): sidecar.tls_client_ca_file has to hold who signed it`;
  return code === 'ECONNRESET' ? null : (REASONS.get(code) ?? code);
}
