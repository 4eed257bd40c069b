// Looks at what was typed before anything is sent. Messages say what to do and never repeat a secret.
import { domainToAscii } from '../../src/model/parsing/domain-name.ts';
import { isSafeEndpoint } from '../../src/model/parsing/safe-endpoint.ts';
import type { Field } from './fields.mts';

const IPV4_CIDR = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/;

/** What is wrong with a field; `null`: nothing. An empty one is never wrong: it keeps what is saved. */
export function faultOf({ check }: Field, text: string): string | null {
  const value = text.trim();
  if (value === '') return null;
  switch (check) {
    case 'printable':
      return /^[\x21-\x7e]+$/.test(value)
        ? null
        : 'A key is one word of plain characters. This one has blanks or special characters: copy it again.';
    case 'endpoint':
      return endpointFault(value);
    case 'proxy':
      return proxyFault(value);
    default:
      return null;
  }
}

/** What is wrong with a list of own domains, one a line; `null`: nothing. */
export function domainsFault(text: string): string | null {
  const wrong = linesOf(text).find((line) => !line.includes('.') || domainToAscii(line.toLowerCase()) === null);
  return wrong === undefined ? null : `"${wrong}" is not a domain. Write one a line, such as example.com; everything below it counts too.`;
}

/** What is wrong with a list of own networks, one a line; `null`: nothing. */
export function networksFault(text: string): string | null {
  const wrong = linesOf(text).find((line) => !isNetwork(line));
  return wrong === undefined
    ? null
    : `"${wrong}" is not a network. Write one a line with its length, such as 198.51.100.0/24 or 2001:db8::/32.`;
}

/** The entries of a list: by lines and commas, without blanks. */
export function linesOf(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function endpointFault(value: string): string | null {
  if (!URL.canParse(value)) return 'Write a whole address, such as https://api.example.com.';
  if (!isSafeEndpoint(value))
    return 'It has to begin with https:// and hold no password. Plain http is for this machine only (http://127.0.0.1:8787).';
  return /[?#]/.test(value) ? 'Leave out everything from "?" or "#" on.' : null;
}

function proxyFault(value: string): string | null {
  if (!URL.canParse(value)) return 'Write http://host:port, or http://user:password@host:port with special characters percent-encoded.';
  return /^https?:$/.test(new URL(value).protocol) ? null : 'A proxy begins with http:// or https://.';
}

function isNetwork(text: string): boolean {
  const [, ...parts] = IPV4_CIDR.exec(text) ?? [];
  if (parts.length === 5) return parts.slice(0, 4).every((part) => Number(part) <= 255) && Number(parts[4]) <= 32;
  const [address = '', length = '', ...rest] = text.split('/');
  return (
    rest.length === 0 && /^\d{1,3}$/.test(length) && Number(length) <= 128 && address.includes(':') && URL.canParse(`http://[${address}]/`)
  );
}
