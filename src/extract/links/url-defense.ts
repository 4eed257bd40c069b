import { bytesOfBase64, decodePercent, parameterOf } from './link-parts.ts';

/** Proofpoint's third form: the address, and behind it in base64 the characters that stars stand for. A client may have cut off the end. */
const THIRD = /\/v3\/__(.+?)(?:__;([\w+/=-]*)|__$|$)/;
/** A star is one character; two stars and a sign are as many as the sign says. */
const STARS = /\*(?:\*([\w-]))?/g;
/** Signs of run lengths, from 2 on: Proofpoint's decoder, `run_mapping`. */
const RUN_SIGNS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const SHORTEST_RUN = 2;

/** The address behind a link of Proofpoint URL Defense, versions 1 to 3; `null` when it holds none. */
export function unwrapDefense(url: string): string | null {
  const third = THIRD.exec(url);
  if (third !== null) return putBack(decodePercent(third[1] ?? ''), third[2] ?? '');
  const coded = parameterOf(url, 'u');
  if (coded === null) return null;
  // Version 1 has the address as it is: its hyphens and underscores are its own.
  return decodePercent(/\/v1\/url/i.test(url) ? coded : coded.replace(/-(?=[\da-f]{2})/gi, '%').replaceAll('_', '/'));
}

/** Puts the listed characters back in the place of the stars; stars with nothing listed for them stay. */
function putBack(address: string, listed: string): string {
  const characters = Array.from(new TextDecoder().decode(bytesOfBase64(listed) ?? new Uint8Array()));
  let at = 0;
  return address.replace(STARS, (stars, sign?: string) => {
    const count = sign === undefined ? 1 : RUN_SIGNS.indexOf(sign) + SHORTEST_RUN;
    const put = characters.slice(at, at + count).join('');
    at += count;
    return put === '' ? stars : put;
  });
}
