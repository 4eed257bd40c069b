import { parse } from 'tldts';

/** Names come canonical from `parseIndicator`: no need to look for URLs, ports and invalid characters in them again. */
export const CANONICAL_HOST = { allowPrivateDomains: false, extractHostname: false, validateHostname: false, detectIp: false } as const;

/** Last labels that were asked about. The list has about 1,500; names of the own network bring others. */
const answers = new Map<string, boolean>();
const MAX_ANSWERS = 8192;

/** Whether the name ends in a suffix that ICANN delegated. When it does not, it is most likely a name of the own network. */
export function hasPublicSuffix(host: string): boolean {
  // Every suffix of the ICANN section lies below a top-level domain that is in it: the last label decides.
  const last = host.slice(host.lastIndexOf('.') + 1);
  const known = answers.get(last);
  if (known !== undefined) return known;
  const isPublic = parse(`a.${last}`, CANONICAL_HOST).isIcann === true;
  if (answers.size >= MAX_ANSWERS) answers.clear();
  answers.set(last, isPublic);
  return isPublic;
}
