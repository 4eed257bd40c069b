import { LookupError } from '../../../model/lookup-error.ts';
import { innerAddressWords } from './inner-addresses.ts';

const TLS_CODE = /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|EPROTO)/;
/** Alerts by which a server says that our certificate is missing, or not one it takes (RFC 8446, section 6.2); before TLS 1.3 it just fails. */
const CLIENT_CODE =
  /^ERR_SSL_\w*ALERT_(CERTIFICATE_\w+|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE)$/;
const TIMEOUT_CODES = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
  'ESOCKETTIMEDOUT',
]);

/** Innermost `code` of an error and its causes (undici and fetch wrap the socket's error). */
function codeOf(error: unknown): string {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const { code } = at as NodeJS.ErrnoException;
    if (typeof code === 'string' && code !== 'UND_ERR') return code;
    if (at instanceof AggregateError && at.errors.length > 0) return codeOf(at.errors[0]);
  }
  return '';
}

/** Where the connection went that failed: `192.0.2.1:443`, of the innermost error that says so; `''`: none does. */
function addressOf(error: unknown): string {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const { address, port } = at as { address?: unknown; port?: unknown };
    if (typeof address === 'string' && typeof port === 'number') return `${address.includes(':') ? `[${address}]` : address}:${port}`;
    if (at instanceof AggregateError && at.errors.length > 0) return addressOf(at.errors[0]);
  }
  return '';
}

/** A failed exchange as our error: what happened, in words, without the URL (it may carry a key). `proxy`: its URL, when one is used. */
export function errorFromNetwork(provider: string, cause: unknown, proxy: string | null = null): LookupError {
  if (cause instanceof LookupError) return cause;
  const code = codeOf(cause);
  const via = proxy === null ? '' : ` by way of proxy ${new URL(proxy).host}`;
  if (code === 'ECONNREFUSED') {
    const address = addressOf(cause);
    const by = proxy === null ? address || 'its address' : `proxy ${new URL(proxy).host}${address === '' ? '' : ` (${address})`}`;
    return new LookupError('unavailable', provider, `connection refused by ${by} (ECONNREFUSED)`, { cause });
  }
  const inner = innerAddressWords(code);
  if (inner !== null) return new LookupError('unavailable', provider, inner, { cause });
  if (TIMEOUT_CODES.has(code)) return new LookupError('timeout', provider, `no connection or answer in time${via} (${code})`, { cause });
  if (CLIENT_CODE.test(code))
    return new LookupError(
      'unavailable',
      provider,
      `the server broke off TLS (${code}): if it asks for a client certificate, set cert_file and key_file`,
      { cause },
    );
  if (TLS_CODE.test(code))
    return new LookupError('unavailable', provider, `certificate refused (${code}): set ca_file if a proxy or a private CA is in between`, {
      cause,
    });
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new LookupError('unavailable', provider, `host name not found${via} (${code}): check base_url, DNS or proxy`, { cause });
  return new LookupError('unavailable', provider, `connection failed${via}${code ? ` (${code})` : ''}`, { cause });
}
