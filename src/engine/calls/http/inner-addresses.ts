import type { LookupAddress } from 'node:dns';
import type { BlockList, LookupFunction } from 'node:net';
import { builtinModule } from '../../../disk/builtin-module.ts';
import { LookupError } from '../../../model/lookup-error.ts';

const SUBNETS = [
  ['169.254.0.0', 16, 'ipv4'],
  ['fe80::', 10, 'ipv6'],
  // Amazon over IPv6, Alibaba, Oracle.
  ['fd00:ec2::', 32, 'ipv6'],
  ['100.100.100.200', 32, 'ipv4'],
  ['192.0.0.192', 32, 'ipv4'],
  // The same, as NAT64 writes it.
  ['64:ff9b::a9fe:0', 112, 'ipv6'],
  ['64:ff9b::6464:64c8', 128, 'ipv6'],
  ['64:ff9b::c000:c0', 128, 'ipv6'],
] as const;

let inner: BlockList | undefined;

/** Where clouds give credentials to whoever asks from inside, and all that is link-local: no provider, feed or output is there. */
function innerAddresses(): BlockList {
  if (inner === undefined) {
    const list = new (builtinModule('node:net').BlockList)();
    for (const [address, bits, family] of SUBNETS) list.addSubnet(address, bits, family);
    inner = list;
  }
  return inner;
}

const LIKE_ADDRESS = /^[\d.]+$|:/;

/** A name that resolves to such an address. */
const CODE = 'EINNERADDRESS';
const WORDS = 'its address is link-local, or that of a cloud’s metadata service: no call is made there';

/** Whether a host, as it stands in a URL, is such an address. */
export function isInnerAddress(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  // Most hosts are names, and a search that finds everything in the cache needs no sockets: `node:net` is loaded for addresses only.
  if (!LIKE_ADDRESS.test(bare)) return false;
  const family = builtinModule('node:net').isIP(bare);
  // An IPv4 address inside an IPv6 one (::ffff:…) counts as itself.
  return family !== 0 && innerAddresses().check(bare, family === 4 ? 'ipv4' : 'ipv6');
}

/** Throws when a URL names such an address. */
export function refuseInnerAddress(provider: string, url: URL | string): void {
  if (isInnerAddress(new URL(url).hostname)) throw new LookupError('unavailable', provider, WORDS);
}

/** Resolves names for a socket; one that leads to such an address is not connected to. What was checked is what is connected to. */
export const lookUpOutside: LookupFunction = (hostname, options, done) => {
  builtinModule('node:dns').lookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
    if (error) return done(error, '');
    if (found.some(({ address }) => isInnerAddress(address))) return done(Object.assign(new Error(WORDS), { code: CODE }), '');
    if (options.all === true) return done(null, found);
    const [first] = found;
    return done(null, first?.address ?? '', first?.family ?? 0);
  });
};

/** What is said of a connection that was refused for its address; `null`: it failed for another reason. */
export function innerAddressWords(code: string): string | null {
  return code === CODE ? WORDS : null;
}
