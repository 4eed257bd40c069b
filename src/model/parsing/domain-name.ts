import { FILE_ENDINGS } from './file-endings.ts';

const DOT = 46;
const HYPHEN = 45;
const UNDERSCORE = 95;

/** Longest name the DNS carries, in characters without the trailing dot (RFC 1035 §2.3.4). */
const MAX_NAME = 253;
const MAX_LABEL = 63;

/** What is wrong with a host name, in one line for people; `null` when the DNS could carry it. Takes lower case without trailing dot. */
export function domainFault(name: string): string | null {
  if (name.length > MAX_NAME) return `name of ${name.length} characters: the DNS carries at most ${MAX_NAME}`;
  let labelStart = 0;
  let isAlphabetic = true;
  for (let at = 0; at <= name.length; at += 1) {
    const code = at < name.length ? name.charCodeAt(at) : DOT;
    if (code === DOT) {
      const fault = labelFault(name, labelStart, at);
      if (fault !== null) return fault;
      if (at < name.length) {
        labelStart = at + 1;
        isAlphabetic = true;
      }
    } else if (code < 97 || code > 122) {
      isAlphabetic = false;
      if ((code < 48 || code > 57) && code !== HYPHEN && code !== UNDERSCORE) return badCharacter(code);
    }
  }
  if (labelStart === 0) return null;
  const lastLength = name.length - labelStart;
  if (lastLength < 2) return 'no top-level domain has one letter: not a domain name';
  if (isAlphabetic || name.startsWith('xn--', labelStart)) return null;
  return 'the last label is not a top-level domain (letters only): a version or a file name, not a domain name';
}

/** Whether the last label of a canonical name is a file ending that no top-level domain has. */
export function isFileName(name: string): boolean {
  return FILE_ENDINGS.has(name.slice(name.lastIndexOf('.') + 1));
}

/**
 * The ASCII form of a host name with other letters (UTS 46, punycode), lower case; `null` when it has none.
 * Slow, by way of the URL parser: only for names that are not ASCII.
 */
export function domainToAscii(name: string): string | null {
  // These would end the host, or be decoded, in a URL.
  if (/[/?#@:\\%[\]\s]/.test(name)) return null;
  const url = `http://${name}/`;
  return URL.canParse(url) ? new URL(url).hostname : null;
}

function labelFault(name: string, start: number, end: number): string | null {
  if (end === start) return 'empty label: two dots in a row, or a dot at the start';
  if (end - start > MAX_LABEL) return `label of ${end - start} characters: the DNS carries at most ${MAX_LABEL}`;
  if (name.charCodeAt(start) === HYPHEN || name.charCodeAt(end - 1) === HYPHEN)
    return 'label that starts or ends with a hyphen: not a domain name';
  return null;
}

function badCharacter(code: number): string {
  if (code === 32) return 'text with spaces: put one indicator into the field, or use extract to find those in a text';
  if (code < 32 || code === 127) return 'control character in the value: split it into single values';
  if (code === 92) return 'a backslash: a path or a user name of Windows, not an indicator; look up files by their hash';
  if (code === 42) return 'wildcard: look up a full name';
  const shown = code < 127 ? ` "${String.fromCharCode(code)}"` : '';
  return `character${shown} that no domain name has: write a plain name, address, URL, hash or e-mail address`;
}
