import { timingSafeEqual } from 'node:crypto';
import { isLoopback } from './loopback.ts';

/** What a caller's headers say of where it comes from. */
export interface CallerHeaders {
  readonly host: string | undefined;
  readonly origin: string | undefined;
}

/** Tells own callers from pages of other sites, by their headers. */
export interface OwnCallers {
  /** Whether a call without a token names this machine, or a host that is set. Another name is a page that had its name point here. */
  isOwnHost(host: string | undefined): boolean;
}

/** `allowedHosts`: names by which this machine may be called, besides loopback. */
export function createOwnCallers(allowedHosts: readonly string[]): OwnCallers {
  const names = new Set(allowedHosts.map((host) => host.toLowerCase()));
  const known = new Map<string, boolean>();
  return {
    isOwnHost(host) {
      if (host === undefined) return false;
      let isOwn = known.get(host);
      if (isOwn === undefined) {
        const name = host.toLowerCase().replace(/:\d+$/, '');
        isOwn = isLoopback(name) || names.has(name) || names.has(host.toLowerCase());
        if (known.size < 100) known.set(host, isOwn);
      }
      return isOwn;
    },
  };
}

/** Whether a call comes from a page of another site; programs name no `Origin`. */
export function isForeignOrigin({ host, origin }: CallerHeaders): boolean {
  return origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`;
}

/** Whether what was given is the secret. It takes the same time whatever was given, but for its length. */
export function isSecret(given: string | Buffer, secret: Buffer): boolean {
  const bytes = typeof given === 'string' ? Buffer.from(given) : given;
  // Compared against itself when the length differs, so that time tells nothing but that.
  return timingSafeEqual(bytes.length === secret.length ? bytes : secret, secret) && bytes.length === secret.length;
}
