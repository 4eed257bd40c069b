/** One header of a message or part: name in lower case, value unfolded and decoded (RFC 2047). */
export interface MimeHeader {
  readonly name: string;
  readonly value: string;
}

/** A leaf of a message: everything that is no container. */
export interface MimePart {
  /** In lower case, `text/plain` when the message does not say. */
  readonly type: string;
  readonly charset: string;
  /** Name of the file it is, decoded; empty when it has none. */
  readonly fileName: string;
  readonly isAttachment: boolean;
  /** Decoded bytes, one character each. */
  readonly content: string;
}

/** A message taken apart. */
export interface MimeMessage {
  readonly headers: readonly MimeHeader[];
  readonly parts: readonly MimePart[];
  /** Messages that were forwarded as attachments, taken apart like this one. */
  readonly attached: readonly MimeMessage[];
}

/** How deep parts may lie in each other, and how many there may be: what is beyond is left out. */
const MAX_DEPTH = 16;
const MAX_PARTS = 1000;

interface Budget {
  parts: number;
}

/** Takes a message apart (RFC 5322, RFC 2045 to 2047, RFC 2231). `raw`: its bytes, one character each. Never throws: what is broken is text. */
export function parseMessage(raw: string): MimeMessage {
  return readMessage(raw.startsWith('From ') ? raw.slice(raw.indexOf('\n') + 1) : raw, 0, { parts: MAX_PARTS });
}

/** The bytes of text in a known character set, as text; bytes of unknown sets are read as Latin-1. */
export function decodeCharset(bytes: string, charset: string): string {
  try {
    return new TextDecoder(charset === '' ? 'utf-8' : charset).decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
  } catch (error) {
    if (error instanceof RangeError) return bytes;
    throw error;
  }
}

function readMessage(raw: string, depth: number, budget: Budget): MimeMessage {
  const parts: MimePart[] = [];
  const attached: MimeMessage[] = [];
  const { headers, body } = splitHeaders(raw);
  readEntity({ headers, body }, depth, budget, { parts, attached });
  return { headers: headers.map(({ name, value }) => ({ name, value: decodeWords(value) })), parts, attached };
}

// oxlint-disable-next-line max-params -- an entity, where it lies, what is left to spend, where its leaves go.
function readEntity(
  { headers, body }: { headers: readonly MimeHeader[]; body: string },
  depth: number,
  budget: Budget,
  out: { parts: MimePart[]; attached: MimeMessage[] },
): void {
  budget.parts -= 1;
  if (budget.parts < 0 || depth > MAX_DEPTH) return;
  const { value: type, parameters } = readStructured(headerOf(headers, 'content-type') || 'text/plain');
  const boundary = parameters.get('boundary');
  if (type.startsWith('multipart/') && boundary !== undefined) {
    for (const section of splitSections(body, boundary)) readEntity(splitHeaders(section), depth + 1, budget, out);
    return;
  }
  const disposition = readStructured(headerOf(headers, 'content-disposition'));
  const content = decodeTransfer(body, headerOf(headers, 'content-transfer-encoding'));
  if (type === 'message/rfc822') {
    out.attached.push(readMessage(content, depth + 1, budget));
    return;
  }
  const fileName = disposition.parameters.get('filename') ?? parameters.get('name') ?? '';
  const isAttachment = disposition.value === 'attachment' || fileName !== '' || !type.startsWith('text/');
  out.parts.push({ type, charset: parameters.get('charset') ?? '', fileName, isAttachment, content });
}

function splitHeaders(raw: string): { headers: MimeHeader[]; body: string } {
  const match = /\r?\n\r?\n/.exec(raw);
  const startsBlank = /^\r?\n/.exec(raw);
  const end = startsBlank ? 0 : (match?.index ?? raw.length);
  const body = startsBlank ? raw.slice(startsBlank[0].length) : match ? raw.slice(match.index + match[0].length) : '';
  const headers: MimeHeader[] = [];
  for (const line of raw
    .slice(0, end)
    .replace(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.push({ name: line.slice(0, colon).trim().toLowerCase(), value: line.slice(colon + 1).trim() });
  }
  return { headers, body };
}

function headerOf(headers: readonly MimeHeader[], name: string): string {
  return headers.find((header) => header.name === name)?.value ?? '';
}

/** The sections between the lines `--boundary`, without preamble and epilogue. */
function splitSections(body: string, boundary: string): string[] {
  const sections: string[] = [];
  const line = `--${boundary}`;
  let at = body.startsWith(line) ? 0 : body.indexOf(`\n${line}`) + 1;
  if (at === 0 && !body.startsWith(line)) return [];
  while (at >= 0 && sections.length < MAX_PARTS) {
    const lineEnd = body.indexOf('\n', at + line.length);
    if (lineEnd < 0 || body.startsWith('--', at + line.length)) break;
    const next = body.indexOf(`\n${line}`, lineEnd);
    sections.push(body.slice(lineEnd + 1, next < 0 ? body.length : next).replace(/\r$/, ''));
    at = next < 0 ? -1 : next + 1;
  }
  return sections;
}

/** `value; name=text; name*=utf-8''text; name*0=te; name*1=xt` (RFC 2045, RFC 2231). */
function readStructured(header: string): { value: string; parameters: Map<string, string> } {
  const pieces = new Map<string, string>();
  for (const match of header.matchAll(
    /;\s{0,8}([\w-]{1,40})(\*\d{1,2})?(\*)?\s{0,2}=\s{0,2}(?:"((?:[^"\\]|\\.){0,2000})"|([^;]{0,2000}))/g,
  )) {
    const [, name = '', , extended, quoted, plain = ''] = match;
    const text = (quoted ?? plain.trim()).replace(/\\(.)/g, '$1');
    pieces.set(
      name.toLowerCase(),
      (pieces.get(name.toLowerCase()) ?? '') + (extended === undefined ? decodeWords(text) : decodeExtended(text)),
    );
  }
  return { value: (header.split(';')[0] ?? '').trim().toLowerCase(), parameters: pieces };
}

function decodeExtended(text: string): string {
  const match = /^([\w-]*)'[^']*'(.*)$/.exec(text);
  const bytes = (match?.[2] ?? text).replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return decodeCharset(bytes, match?.[1] ?? '');
}

/** Encoded words in a header (RFC 2047); raw bytes outside of them are read as UTF-8, as many senders mean them. */
function decodeWords(value: string): string {
  const plain = /[\u0080-\u00ff]/.test(value) ? decodeCharset(value, 'utf-8') : value;
  return plain
    .replace(/(\?=)\s+(?==\?)/g, '$1')
    .replace(/=\?([\w.-]{1,40})(?:\*[\w-]*)?\?([bq])\?([^?]*)\?=/gi, (_, charset: string, encoding: string, text: string) =>
      decodeCharset(encoding.toLowerCase() === 'b' ? decodeBase64(text) : decodeQuoted(text.replaceAll('_', ' ')), charset),
    );
}

function decodeTransfer(body: string, encoding: string): string {
  switch (encoding.toLowerCase()) {
    case 'base64':
      return decodeBase64(body);
    case 'quoted-printable':
      return decodeQuoted(body);
    default:
      return body;
  }
}

/** What is no base64 is left out, a last group that is cut off too. */
function decodeBase64(text: string): string {
  const digits = text.replace(/[^A-Za-z0-9+/]/g, '');
  return atob(digits.slice(0, digits.length - (digits.length % 4 === 1 ? 1 : 0)));
}

function decodeQuoted(text: string): string {
  return text.replace(/=[ \t]{0,8}\r?\n/g, '').replace(/=([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}
