import type { IncomingMessage } from 'node:http';

/**
 * A header by its lower-case name, the first one of that name; `undefined`: it was not sent. `req.headers` makes an object of all
 * headers when it is first touched; for the two or three that are looked at in a warm call, walking the raw list is cheaper.
 */
export function headerOf(req: IncomingMessage, name: string): string | undefined {
  const { rawHeaders } = req;
  for (let n = 0; n < rawHeaders.length; n += 2) {
    const given = rawHeaders[n];
    if (given !== undefined && given.length === name.length && (given === name || given.toLowerCase() === name)) return rawHeaders[n + 1];
  }
  return undefined;
}
