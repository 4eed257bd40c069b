import type { IncomingMessage } from 'node:http';
import { createOwnCallers, isForeignOrigin } from '../../../compose/door/own-callers.ts';
import { TAXII_FOLDER } from './access.ts';
import type { Who } from './access.ts';
import type { Scope } from '../../../compose/sidecar-access/tokens.ts';
import { headerOf } from './headers.ts';
import type { Refusal } from './replies.ts';
import type { Tokens } from '../../../compose/sidecar-access/open-tokens.ts';

/** Who may call. */
export interface GuardOptions {
  readonly tokens: Tokens;
  /** Names by which a sidecar without a token may be called, besides loopback. */
  readonly allowedHosts: readonly string[];
}

/** The check of a call, by the path it is for, who may make it, and what a token has to allow: `null` lets it in. */
export type Guard = (req: IncomingMessage, path: string, who: Who, scope: Scope) => Refusal | null;

/**
 * The check of every call. With a token the token decides. Without one only this machine can connect, and what remains is a web page that
 * makes the user's browser call: its `Host` (DNS rebinding), `Origin` or `Sec-Fetch-Site` (cross-site; a picture or a link has no
 * `Origin`) gives it away.
 */
export function createGuard({ tokens, allowedHosts }: GuardOptions): Guard {
  const own = createOwnCallers(allowedHosts);

  return (req, path, who, scope) => {
    if (tokens.areWanted) {
      if (who === 'anyone') return null;
      const scopes = tokens.scopesOf(tokenOf(req, path));
      if (scopes === null) return UNAUTHORIZED;
      return scopes.has(scope) ? null : forbiddenScope(scope);
    }
    const host = headerOf(req, 'host');
    const origin = headerOf(req, 'origin');
    if (!own.isOwnHost(host)) return FOREIGN_HOST;
    if (isForeignOrigin({ host, origin })) return FOREIGN_ORIGIN;
    return who === 'anyone' || isOwnSite(headerOf(req, 'sec-fetch-site')) ? null : FOREIGN_ORIGIN;
  };
}

/** What browsers say of the page that made them call; programs say nothing, and what a user typed or opened is `none`. */
function isOwnSite(site: string | undefined): boolean {
  return site === undefined || site === 'same-origin' || site === 'none';
}

const UNAUTHORIZED: Refusal = {
  status: 401,
  code: 'unauthorized',
  message: 'this sidecar wants its token: send it as `Authorization: Bearer …` or `x-api-key`',
  headers: { 'www-authenticate': 'Bearer realm="ismalicious"' },
};

function forbiddenScope(scope: Scope): Refusal {
  return { status: 403, code: 'forbidden_scope', message: `this token does not allow that: it takes one with the scope \`${scope}\`` };
}

const FOREIGN_HOST: Refusal = {
  status: 403,
  code: 'forbidden_host',
  message:
    'a sidecar without a token is called by localhost or a loopback address: use that, name this host in sidecar.allowed_hosts, or set sidecar.token',
};

const FOREIGN_ORIGIN: Refusal = {
  status: 403,
  code: 'forbidden_origin',
  message: 'pages of other sites may not call this sidecar: set sidecar.token if they have to',
};

/** As the password of any user, or as a token: TAXII clients know no other way. A gateway's callers mean the engine behind it by that. */
function taxiiToken(authorization: string): string | undefined {
  const [, scheme, text = ''] = /^(Token|Basic) +(.+)$/i.exec(authorization) ?? [];
  if (scheme?.toLowerCase() !== 'basic') return scheme && text;
  const pair = Buffer.from(text, 'base64').toString('utf8');
  return pair.slice(pair.indexOf(':') + 1);
}

function tokenOf(req: IncomingMessage, path: string): Buffer {
  const authorization = headerOf(req, 'authorization') ?? '';
  const bearer = /^Bearer +(.+)$/i.exec(authorization)?.[1] ?? (path.startsWith(TAXII_FOLDER) ? taxiiToken(authorization) : undefined);
  return Buffer.from(bearer ?? headerOf(req, 'x-api-key') ?? '');
}
