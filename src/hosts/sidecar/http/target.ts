import type { IncomingMessage } from 'node:http';
import { headerOf } from './headers.ts';
import type { Refusal } from './replies.ts';

const SLASH = 0x2f;
const ABSOLUTE = /^https?:\/\/([^/?#]*)([^]*)$/i;

/**
 * Makes what a call is for plain: an absolute target (RFC 9112 §3.2.2) becomes the path it names, for it means the same. A refusal where
 * two readers could take the call for two different ones.
 */
export function settleTarget(req: IncomingMessage): Refusal | null {
  if (hasTwoHosts(req)) return TWO_HOSTS;
  const url = req.url ?? '';
  if (url.charCodeAt(0) === SLASH) return null;
  const [, authority, rest = ''] = ABSOLUTE.exec(url) ?? [];
  if (authority === undefined) return NO_PATH;
  if (authority.toLowerCase() !== headerOf(req, 'host')?.toLowerCase()) return OTHER_HOST;
  req.url = rest.startsWith('/') ? rest : `/${rest}`;
  return null;
}

function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  for (let n = 0; n < rawHeaders.length; n += 2) {
    const name = rawHeaders[n];
    if (name !== undefined && name.length === 4 && (name === 'Host' || name === 'host' || name.toLowerCase() === 'host')) hosts++;
  }
  return hosts > 1;
}

const TWO_HOSTS: Refusal = { status: 400, code: 'bad_request', message: 'the request has two Host headers: send one' };
const NO_PATH: Refusal = { status: 400, code: 'bad_request', message: 'the target of the request is not a path: it has to begin with /' };
const OTHER_HOST: Refusal = {
  status: 400,
  code: 'bad_request',
  message: 'the target names another host than the Host header: this sidecar is not a proxy',
};
