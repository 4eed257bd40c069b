import { toUtf8 } from '../../model/formats/text-encoding.ts';
import { bareBoundary } from './bare-boundary.ts';

/** How much tells which line ends a mail has, in bytes. */
const SAMPLE = 65_536;
/** How many messages of a mailbox are read. */
const MAX_MESSAGES = 10_000;
/** How many `boundary=` are looked after. */
const MAX_BOUNDARIES = 1000;
/** Lines of a head behind its `boundary=`. */
const MAX_HEAD_LINES = 400;

/** The line that starts each message of a mailbox (mbox), a header behind it. */
const POSTMARK = /\nFrom [^\n]{0,200}\d{4}[^\n]{0,40}\n(?=[!-9;-~]{1,80}[ \t]{0,8}:)/g;

/** The bytes of a mail as a parser wants them: without mark, in UTF-8 where it was in UTF-16 or UTF-32, with LF or CRLF at the ends of lines. */
export function plainMail(bytes: Uint8Array): Buffer {
  const text = toUtf8(bytes);
  const plain = Buffer.from(text.buffer, text.byteOffset, text.length);
  const sample = plain.subarray(0, SAMPLE);
  // A transfer in text mode doubled the returns of all lines.
  if (sample.includes('\r\r\n')) return Buffer.from(plain.toString('latin1').replace(/\r+\n/g, '\r\n'), 'latin1');
  if (!sample.includes('\n') && sample.includes('\r')) return Buffer.from(plain.toString('latin1').replaceAll('\r', '\n'), 'latin1');
  return plain;
}

/** The messages of a mailbox, each without its `From ` line; of anything else the one message that it is. */
export function messagesOf(mail: Buffer): Buffer[] {
  if (!mail.subarray(0, 5).equals(Buffer.from('From '))) return [mail];
  const text = `\n${mail.toString('latin1').replaceAll('\r\n', '\n')}`;
  const marks = [...text.matchAll(POSTMARK)].slice(0, MAX_MESSAGES);
  if (marks.length < 2) return [mail.subarray(mail.indexOf('\n') + 1)];
  return marks.map(({ index, 0: mark }, n) => Buffer.from(text.slice(index + mark.length, marks[n + 1]?.index ?? text.length), 'latin1'));
}

/** With the head of a mail that has lost it, and the blank line between head and first boundary that some senders leave out. */
export function withGaps(mail: Buffer): Buffer {
  const text = mail.toString('latin1');
  const bare = bareBoundary(text);
  if (bare !== null) return Buffer.from(`Content-Type: multipart/mixed; boundary="${bare.replaceAll('"', '')}"\n\n${text}`, 'latin1');
  const places = bodiesWithoutGap(text);
  let seen = 0;
  for (const match of text.matchAll(/boundary[ \t]{0,8}=[ \t]{0,8}(?:"([^"\n]{1,200})"|([^\s;()"]{1,200}))/gi)) {
    seen += 1;
    if (seen > MAX_BOUNDARIES) break;
    const place = boundaryInHead(text, match.index + match[0].length, `--${match[1] ?? match[2] ?? ''}`);
    if (place >= 0) places.push(place);
  }
  if (places.length === 0) return mail;
  places.sort((a, b) => a - b);
  const pieces = [0, ...places].map((from, n) => text.slice(from, places[n] ?? text.length));
  return Buffer.from(pieces.join('\n'), 'latin1');
}

/** The head of a part, and directly behind it a line of base64 or mark-up, which no header begins with. */
const BODY_IN_HEAD =
  /\n--[^\n]{1,200}\n(?:Content-[\w-]{1,40}[ \t]{0,8}:[^\n]{0,998}\n(?:[ \t][^\n]{0,998}\n){0,16}){1,16}(?=[A-Za-z\d+/]{40,998}={0,2}\r?\n|<[a-z!])/gi;
const MAX_HEADS = 1000;

/** Where bodies begin that no blank line parts from their head. */
function bodiesWithoutGap(text: string): number[] {
  const places: number[] = [];
  for (const match of text.matchAll(BODY_IN_HEAD)) {
    if (places.length >= MAX_HEADS) break;
    places.push(match.index + match[0].length);
  }
  return places;
}

/** Where a line with the boundary stands before the head ends; -1 when it does not. */
function boundaryInHead(text: string, from: number, line: string): number {
  let at = text.indexOf('\n', from) + 1;
  for (let n = 0; n < MAX_HEAD_LINES && at > 0; n += 1) {
    if (text.startsWith(line, at)) return at;
    const code = text.charCodeAt(at);
    if (code === 10 || (code === 13 && text.charCodeAt(at + 1) === 10)) return -1;
    at = text.indexOf('\n', at) + 1;
  }
  return -1;
}
