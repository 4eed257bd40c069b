import dns from 'node:dns';
import net from 'node:net';

/** Thrown for every connection that would leave the machine: a test that forgot its stand-in fails here. */
export class OutsideNetworkError extends Error {
  override readonly name = 'OutsideNetworkError';
}

const LOOPBACK = /^(127\.|localhost$|::1$|\[::1\]$|::ffff:127\.)/;

/**
 * Refuses connections at the socket, below every client (fetch, undici, node:http), so that it does not matter which one a
 * test forgot to mock: MockAgent sees only undici, msw only what runs while it listens. Unix sockets and loopback stay open.
 */
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function guarded(this: net.Socket, ...args: unknown[]) {
  const first = Array.isArray(args[0]) ? args[0][0] : args[0];
  const target =
    typeof first === 'object' && first !== null ? (first as { host?: string; path?: string; lookup?: net.LookupFunction }) : {};
  const isPort = typeof first === 'number' || (typeof first === 'string' && /^\d+$/.test(first));
  const host = isPort ? String(args[1] ?? 'localhost') : (target.host ?? 'localhost');
  // msw 3 stands at the socket too: it connects with a look-up of its own that answers loopback. What it answers is what counts.
  const { lookup } = target;
  if (lookup && typeof first === 'object' && net.isIP(host) === 0) {
    const guardedTarget = { ...first, lookup: loopbackOnly(lookup) };
    return Reflect.apply(connect, this, [
      Array.isArray(args[0]) ? Object.assign([...args[0]], args[0], { 0: guardedTarget }) : guardedTarget,
      ...args.slice(1),
    ]);
  }
  if (!target.path && !LOOPBACK.test(host)) {
    const refused = new OutsideNetworkError(`a test tried to reach ${host}: use a stand-in on loopback, msw or MockAgent`);
    process.nextTick(() => this.destroy(refused));
    return this;
  }
  return Reflect.apply(connect, this, args);
} as typeof connect;

/** A look-up that may answer with this machine only. */
function loopbackOnly(resolve: net.LookupFunction): net.LookupFunction {
  return (host, options, callback) =>
    resolve(host, options, (error, address, family) => {
      const addresses = typeof address === 'string' ? [address] : (address ?? []).map((one) => one.address);
      const isLoopback = addresses.every((one) => LOOPBACK.test(one));
      callback(isLoopback || error ? error : new OutsideNetworkError(`a test tried to reach ${host}`), address, family);
    });
}

const lookup = dns.lookup;
dns.lookup = function guardedLookup(host: string, ...rest: unknown[]) {
  const callback = rest.at(-1);
  if (LOOPBACK.test(host) || typeof callback !== 'function') return Reflect.apply(lookup, dns, [host, ...rest]);
  process.nextTick(() => callback(new OutsideNetworkError(`a test tried to resolve ${host}`)));
  return undefined;
} as typeof lookup;
