// src/extract/mail/: a mail taken apart: text, links, attachments, messages within.
import { Splitter } from '@zone-eu/mailsplit';
import type { MimeNode } from '@zone-eu/mailsplit';
import libmime from 'libmime';
import type { InnerFile } from '../opened.ts';

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
/** A line that may be a boundary nobody announced, before a header of a part. */
const UNANNOUNCED = /(?:^|\n)--(-{0,40}[^\s-][^\r\n]{0,69}?)[ \t]*\r?\n(?=Content-[\w-]{1,40}[ \t]{0,8}:)/i;

/** Takes a mail apart (RFC 5322, RFC 2045 to 2047, RFC 2231), by mailparser's own parser. Never throws: what is broken is text. */
export async function readMail(mail: Buffer): Promise<Mail> {
  const { nodes, bodies, unread } = await split(mail);
  const [root] = nodes;
  if (root === undefined) return { headers: [], parts: [], unread };
  const isLeafless = root.multipart !== false && nodes.length === 1;
  if (isLeafless) return readBroken(root, Buffer.concat(bodies.get(root) ?? []));
  const parts: MailPart[] = [];
  for (const node of nodes) if (node.multipart === false) parts.push(await partOf(node, Buffer.concat(bodies.get(node) ?? [])));
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

/** A multipart whose boundary never comes, or that names none: by the boundary that it uses, else as one text. */
async function readBroken(root: MimeNode, body: Buffer): Promise<Mail> {
  const headers = headersOf(root);
  const text = body.toString('latin1');
  const boundary = UNANNOUNCED.exec(text)?.[1];
  if (boundary !== undefined) {
    const type = root.multipart === false ? 'mixed' : root.multipart;
    const again = await readMail(
      Buffer.concat([Buffer.from(`Content-Type: multipart/${type}; boundary="${boundary.replaceAll('"', '')}"\r\n\r\n`), body]),
    );
    if (again.parts.length > 0) return { ...again, headers };
  }
  const isPage = /<(?:html|body|a|div|p|table)\b/i.test(text);
  const bytes = await decoded(root, body);
  const part = { name: '', type: isPage ? 'text/html' : 'text/plain', charset: '', bytes, isAttachment: false, flowed: null };
  return { headers, parts: [part], unread: null };
}

async function partOf(node: MimeNode, body: Buffer): Promise<MailPart> {
  const type = typeOf(node);
  const name = node.filename === false ? '' : withoutControls(node.filename);
  const isOwnFile = node.disposition === 'attachment' || name !== '' || !type.startsWith('text/');
  const isAttachment = isOwnFile && !type.startsWith('message/');
  const flowed = node.flowed ? { delSp: node.delSp } : null;
  return { name, type, charset: node.charset === false ? '' : node.charset, bytes: await decoded(node, body), isAttachment, flowed };
}

/** Its media type; of one that says none, or nonsense, the default (RFC 2045 §5.2, RFC 2046 §5.1.5). */
function typeOf(node: MimeNode): string {
  const isDigest = node.parentNode !== false && node.parentNode.multipart === 'digest';
  const says = node.headers !== false && node.headers.hasHeader('content-type');
  if (isDigest && !says) return 'message/rfc822';
  return node.contentType !== false && node.contentType.includes('/') ? node.contentType : 'text/plain';
}

/** Without its transfer encoding. `base64;` and the like count as what they start with. */
async function decoded(node: MimeNode, body: Buffer): Promise<Buffer> {
  const [encoding = ''] = /[\w-]+/.exec(node.encoding === false ? '' : node.encoding) ?? [];
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
