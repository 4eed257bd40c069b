/** Why nothing is matched by an AS number: for people, behind the number or the count of them. */
export const AS_NUMBER_FAULT =
  'an autonomous system, not an indicator: which one an address belongs to is not known here; list its networks in CIDR form';

/** Whether a text is the number of an autonomous system as lists write it: `AS64500`, `ASN 64500`, `as64500`. `AS400` may be a host's name. */
export function isAsNumber(text: string): boolean {
  return /^(?:ASN?|asn?)[ :-]?(?:\d{4,10}|(?<=[Nn][ :-]?)\d{1,3})$/.test(text.trim());
}
