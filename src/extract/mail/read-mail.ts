// src/extract/mail/: a mail taken apart: text, links, attachments, messages within.
import { Splitter } from '@zone-eu/mailsplit';
import type { MimeNode } from '@zone-eu/mailsplit';
import libmime from 'libmime';
import type { InnerFile } from '../opened.ts';
import { decodeUuencodedBody } from './uuencoded.ts';

/** One header: name in lower case, value unfolded and decoded (RFC 2047). */
export interface MailHeader {
  readonly name: string;
  readonly value: string;
}

/** A leaf of a mail, decoded. */
export interface MailPart extends InnerFile {
  /** RFC 3676: lines that end in a blank go on in the next; `null` when they do not. */
  readonly flowed: { readonly delSp: boolean } | null;
}

/** A mail taken apart. */
export interface Mail {
  readonly headers: readonly MailHeader[];
  readonly parts: readonly MailPart[];
  /** Why it was not read to its end; `null` when it was. */
  readonly unread: string | null;
}

/** Longest head of one part, in bytes, and the number of parts. */
const MAX_HEAD = 8 << 20;
const MAX_PARTS = 1000;
/** How often a broken multipart inside of another is read by a boundary that nobody announced. */
const MAX_MENDS = 4;
/** A line that may be a boundary nobody announced, before a header of a part. */
const UNANNOUNCED = /(?:^|\n)--(-{0,40}[^\s-][^\r\n]{0,69}?)[ \t]*\r?\n(?=Content-[\w-]{1,40}[ \t]{0,8}:)/i;

/** Takes a mail apart (RFC 5322, RFC 2045 to 2047, RFC 2231), by mailparser's own parser. Never throws: what is broken is text. */
export function readMail(mail: Buffer): Promise<Mail> {
  return readParts(mail, MAX_MENDS);
}

async function readParts(mail: Buffer, mends: number): Promise<Mail> {
  const { nodes, bodies, unread } = await split(mail);
  const [root] = nodes;
  if (root === undefined) return { headers: [], parts: [], unread };
  const parents = new Set(nodes.map((node) => node.parentNode));
  const parts: MailPart[] = [];
  for (const node of nodes) {
    const body = Buffer.concat(bodies.get(node) ?? []);
    if (node.multipart === false) parts.push(...(await readLeaf(node, body, mends)));
    else if (!parents.has(node)) parts.push(...(await readBroken(node, body, mends)));
  }
  return { headers: headersOf(root), parts, unread };
}

/** The parts in their order, and the bytes of each. */
async function split(mail: Buffer) {
  const splitter = new Splitter({ ignoreEmbedded: true, maxHeadSize: MAX_HEAD, maxChildNodes: MAX_PARTS });
  const nodes: MimeNode[] = [];
  const bodies = new Map<MimeNode, Buffer[]>();
  let unread: string | null = null;
  splitter.end(mail);
  try {
    for await (const chunk of splitter) {
      if (chunk.type === 'node') nodes.push(chunk);
      else if (chunk.type === 'body' || (chunk.type === 'data' && chunk.node.multipart !== false)) {
        const pieces = bodies.get(chunk.node);
        if (pieces === undefined) bodies.set(chunk.node, [chunk.value]);
        else pieces.push(chunk.value);
      }
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    unread = error.message;
  }
  return { nodes, bodies, unread };
}

/** A leaf; behind a text with the source of parts in it (the head has lost its media type, a report quotes a mail) those parts as well. */
async function readLeaf(node: MimeNode, body: Buffer, mends: number): Promise<readonly MailPart[]> {
  const bytes = await decoded(node, body);
  const part = partOf(node, bytes);
  const mayQuote = part.type === 'text/plain' && !part.isAttachment && bytes.includes('--');
  return mayQuote ? [part, ...(await unannounced(node, bytes, mends))] : [part];
}

/** A multipart whose boundary never comes, or that names none: by the boundary that it uses, else as one text. */
async function readBroken(node: MimeNode, body: Buffer, mends: number): Promise<readonly MailPart[]> {
  const parts = await unannounced(node, body, mends);
  if (parts.length > 0) return parts;
  const text = body.toString('latin1');
  const isPage = /<(?:html|body|a|div|p|table)\b/i.test(text);
  const bytes = await decoded(node, body);
  return [{ name: '', type: isPage ? 'text/html' : 'text/plain', charset: '', bytes, isAttachment: false, flowed: null }];
}

/** The parts in a body that no head announced; none: it has none. */
async function unannounced(node: MimeNode, body: Buffer, mends: number): Promise<readonly MailPart[]> {
  const boundary = mends > 0 ? UNANNOUNCED.exec(body.toString('latin1'))?.[1] : undefined;
  if (boundary === undefined) return [];
  const type = node.multipart === false ? 'mixed' : node.multipart;
  const head = Buffer.from(`Content-Type: multipart/${type}; boundary="${boundary.replaceAll('"', '')}"\r\n\r\n`);
  return (await readParts(Buffer.concat([head, body]), mends - 1)).parts;
}

function partOf(node: MimeNode, bytes: Buffer): MailPart {
  const type = typeOf(node);
  const name = node.filename === false ? '' : withoutControls(node.filename);
  const isOwnFile = node.disposition === 'attachment' || name !== '' || !type.startsWith('text/');
  const isAttachment = isOwnFile && !type.startsWith('message/');
  const flowed = node.flowed ? { delSp: node.delSp } : null;
  return { name, type, charset: node.charset === false ? '' : node.charset, bytes, isAttachment, flowed };
}

/** Its media type; of one that says none, or nonsense, the default (RFC 2045 §5.2, RFC 2046 §5.1.5). */
function typeOf(node: MimeNode): string {
  const isDigest = node.parentNode !== false && node.parentNode.multipart === 'digest';
  const says = node.headers !== false && node.headers.hasHeader('content-type');
  if (isDigest && !says) return 'message/rfc822';
  const type = node.contentType !== false && node.contentType.includes('/') ? node.contentType : 'text/plain';
  // The other way round, as many programs write it.
  return type === 'plain/text' ? 'text/plain' : type === 'html/text' ? 'text/html' : type;
}

/** Names that programs give to base64; none of them is any other encoding. */
const BASE64 = /^(?:x-)?base-?64$/;

/** What says how a body is encoded: of several headers the first that names an encoding. `base64;` and the like count as what they start with. */
function encodingOf(node: MimeNode): string {
  const said = node.headers === false ? [] : node.headers.getDecoded('content-transfer-encoding').map(({ value }) => value.toLowerCase());
  const names = [node.encoding === false ? '' : node.encoding, ...said].map((text) => /[\w-]+/.exec(text)?.[0] ?? '');
  const name = names.find((each) => each === 'quoted-printable' || BASE64.test(each)) ?? names[0] ?? '';
  return BASE64.test(name) ? 'base64' : name;
}

/** Without its transfer encoding. */
async function decoded(node: MimeNode, body: Buffer): Promise<Buffer> {
  const encoding = encodingOf(node);
  if (/^(?:x-)?uu(?:e|encode|code)$/.test(encoding)) return decodeUuencodedBody(body);
  if (encoding !== 'base64' && encoding !== 'quoted-printable') return body;
  node.encoding = encoding;
  const decoder = node.getDecoder();
  decoder.end(body);
  const chunks: Buffer[] = [];
  for await (const chunk of decoder) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function headersOf(node: MimeNode): MailHeader[] {
  if (node.headers === false) return [];
  return node.headers.getList().map(({ key, line }) => {
    const value = line
      .slice(line.indexOf(':') + 1)
      .replace(/\r?\n/g, '')
      .trim();
    return { name: key.trim(), value: decodeWords(value) };
  });
}

/** Encoded words decoded; raw bytes outside of them are read as UTF-8, as many senders mean them. */
function decodeWords(value: string): string {
  const plain =
    /[\u0080-\u00ff]/.test(value) && !/[^\0-\u00ff]/.test(value) ? new TextDecoder().decode(Buffer.from(value, 'latin1')) : value;
  return plain.includes('=?') ? libmime.decodeWords(plain) : plain;
}

function withoutControls(name: string): string {
  // oxlint-disable-next-line no-control-regex -- line breaks in a name hide its ending.
  return name.replace(/[\0-\u001f]/g, '').trim();
}
