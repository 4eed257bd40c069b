import { ipv4FromText } from './ipv4-address.ts';

const MASKED = /^\s*((?:\d{1,3}\.){3}\d{1,3})(?:\s{0,4}\/\s{0,4}|\s{1,8})((?:\d{1,3}\.){3}\d{1,3})\s*$/;

/**
 * An address with its mask, as routers write it (`192.0.2.0 255.255.255.0`, `192.0.2.0/255.255.255.0`, with the bits of an access list
 * `192.0.2.0 0.0.0.255`), with the length of its prefix (`192.0.2.0/24`); `null`: the second is no mask.
 */
export function maskedNetwork(text: string): string | null {
  const [, address = '', mask = ''] = MASKED.exec(text) ?? [];
  const bits = ipv4FromText(mask, 0, mask.length);
  if (bits <= 0 || ipv4FromText(address, 0, address.length) < 0) return null;
  for (let length = 1; length <= 32; length += 1) {
    const hosts = 2 ** (32 - length) - 1;
    if (bits === 0xffff_ffff - hosts || bits === hosts) return `${address}/${length}`;
  }
  return null;
}
