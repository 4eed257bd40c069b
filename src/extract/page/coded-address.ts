import { bytesOfBase64 } from '../links/link-parts.ts';

/** A text in quotes that is base64 of `http…`, as pages hide where they lead: `location = atob("aHR0cHM6Ly9ldmlsLmNvbS9h")`. */
const CODED = /(["'`])(aHR0c[\w+/-]{8,2000}={0,2})\1/g;

/** An address that stands in a script in base64, and where. */
export interface CodedAddress {
  readonly address: string;
  readonly start: number;
  readonly end: number;
}

/** The addresses of the web that stand in a script in base64, in quotes. */
export function codedAddresses(script: string): CodedAddress[] {
  if (!script.includes('aHR0c')) return [];
  return Array.from(script.matchAll(CODED)).flatMap(({ index, 2: coded = '' }) => {
    const bytes = bytesOfBase64(coded);
    const address = bytes === null ? '' : new TextDecoder().decode(bytes);
    return /^https?:\/\/\S+$/i.test(address) ? [{ address, start: index + 1, end: index + 1 + coded.length }] : [];
  });
}
