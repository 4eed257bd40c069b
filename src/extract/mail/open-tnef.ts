import { decompressRTF } from '@kenjiuno/decompressrtf';
import { decodeText } from '../decode-text.ts';
import { isTnef } from '../file-signature.ts';
import type { InnerFile, Opened, OpenedText } from '../opened.ts';
import { opened } from '../opened.ts';

const HEADER_BYTES = 6;
/** Attributes (MS-OXTNEF §2.1.3.2): start of an attachment, its title, bytes and properties; body and properties of the message. */
const ATTACH_REND_DATA = 0x9002;
const ATTACH_TITLE = 0x8010;
const ATTACH_DATA = 0x800f;
const ATTACHMENT_PROPS = 0x9005;
const BODY = 0x800c;
const MESSAGE_PROPS = 0x9003;
/** Properties (MS-OXPROPS): body, compressed RTF, HTML, long and short name of an attachment, its bytes. */
const PR_BODY = 0x1000;
const PR_RTF = 0x1009;
const PR_HTML = 0x1013;
const PR_LONG_NAME = 0x3707;
const PR_DATA = 0x3701;
/** An embedded message stands behind the id of its interface. */
const INTERFACE_BYTES = 16;
const MAX_PROPS = 2000;

interface Attachment {
  name: string;
  bytes: Uint8Array;
}

/**
 * Opens `winmail.dat`, in which Outlook wraps text and attachments (TNEF, MS-OXTNEF). Its packages on npm are a logger and a command line
 * around one file, so we read it ourselves. What is cut off counts as far as it goes.
 */
export function openTnef(bytes: Uint8Array): Opened {
  const texts: OpenedText[] = [];
  const files: Attachment[] = [];
  let at = HEADER_BYTES;
  const data = view(bytes);
  while (at + 9 <= bytes.length) {
    const id = data.getUint16(at + 1, true);
    const length = data.getUint32(at + 5, true);
    const content = bytes.subarray(at + 9, Math.min(bytes.length, at + 9 + length));
    if (id === ATTACH_REND_DATA) files.push({ name: '', bytes: new Uint8Array() });
    else readAttribute(id, content, { texts, files });
    at += 9 + length + 2;
  }
  return opened({ texts, files: files.filter((file) => file.bytes.length > 0).map(asFile) });
}

function readAttribute(id: number, content: Uint8Array, { texts, files }: { texts: OpenedText[]; files: Attachment[] }): void {
  const file = files.at(-1);
  if (id === BODY) texts.push({ label: 'text', text: decodeText(content).replaceAll('\0', ''), isPage: false });
  else if (id === MESSAGE_PROPS) for (const [prop, value] of properties(content)) texts.push(...textOf(prop, value));
  else if (file === undefined) return;
  else if (id === ATTACH_TITLE) file.name ||= nameOf(content);
  else if (id === ATTACH_DATA) file.bytes = content;
  else if (id === ATTACHMENT_PROPS) readAttachmentProps(file, content);
}

function readAttachmentProps(file: Attachment, content: Uint8Array): void {
  for (const [prop, value] of properties(content)) {
    if (prop === PR_LONG_NAME) file.name = nameOf(value);
    // The bytes of a file stand in an attribute of their own; here is a message inside of the message.
    else if (prop === PR_DATA && isTnef(value.subarray(INTERFACE_BYTES))) file.bytes = value.subarray(INTERFACE_BYTES);
    else if (prop === PR_DATA && file.bytes.length === 0) file.bytes = value;
  }
}

function textOf(prop: number, value: Uint8Array): OpenedText[] {
  if (prop === PR_BODY) return [{ label: 'text', text: decodeText(value).replaceAll('\0', ''), isPage: false }];
  if (prop === PR_HTML) return [{ label: 'html', text: decodeText(value), isPage: true }];
  return prop === PR_RTF ? [{ label: 'text', text: rtfText(value), isPage: false }] : [];
}

/** The text of compressed RTF (MS-OXRTFCP); empty when it is broken. */
export function rtfText(compressed: Uint8Array): string {
  try {
    return Buffer.from(decompressRTF([...compressed])).toString('latin1');
  } catch (error) {
    if (error instanceof Error) return '';
    throw error;
  }
}

/** Properties by their id, as far as they can be read (MS-OXTNEF §2.1.3.4). */
function* properties(content: Uint8Array): Generator<readonly [number, Uint8Array]> {
  const data = view(content);
  if (content.length < 4) return;
  const count = Math.min(MAX_PROPS, data.getUint32(0, true));
  let at = 4;
  for (let n = 0; n < count && at + 4 <= content.length; n += 1) {
    const type = data.getUint16(at, true);
    const id = data.getUint16(at + 2, true);
    at += 4;
    if (id >= 0x8000) at = behindName(data, at);
    const fixed = FIXED_BYTES.get(type & 0xfff);
    const isMany = (type & 0x1000) !== 0 || fixed === undefined;
    if (at + 4 > content.length) return;
    const values = isMany ? Math.min(MAX_PROPS, data.getUint32(at, true)) : 1;
    if (isMany) at += 4;
    for (let each = 0; each < values; each += 1) {
      if (fixed === undefined && at + 4 > content.length) return;
      const length = fixed ?? data.getUint32(at, true);
      const start = fixed === undefined ? at + 4 : at;
      if (start > content.length) return;
      yield [id, content.subarray(start, Math.min(content.length, start + length))];
      at = start + ((length + 3) & ~3);
    }
  }
}

/** Bytes of the values of fixed length, by type. */
const FIXED_BYTES: ReadonlyMap<number, number> = new Map([
  [0x1, 4],
  [0x2, 4],
  [0x3, 4],
  [0x4, 4],
  [0x5, 8],
  [0x6, 8],
  [0x7, 8],
  [0xa, 4],
  [0xb, 4],
  [0x14, 8],
  [0x40, 8],
  [0x48, 16],
]);

/** A property with a name of its own: behind the set it belongs to and the name, a number or a text. */
function behindName(data: DataView, at: number): number {
  if (at + 24 > data.byteLength) return data.byteLength;
  if (data.getUint32(at + 16, true) === 0) return at + 24;
  const length = data.getUint32(at + 20, true);
  return at + 24 + ((length + 3) & ~3);
}

function asFile({ name, bytes }: Attachment): InnerFile {
  const isMessage = isTnef(bytes);
  return { name, type: isMessage ? 'application/ms-tnef' : '', charset: '', bytes, isAttachment: !isMessage };
}

function nameOf(bytes: Uint8Array): string {
  return decodeText(bytes).replaceAll('\0', '').trim();
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
