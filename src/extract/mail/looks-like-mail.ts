import { bareBoundary } from './bare-boundary.ts';
import { plainMail } from './plain-mail.ts';

/** How much is looked at, in bytes: spam filters write headers of more than 64 KiB. */
const MAX_HEAD = 4 << 20;
/** Lines of something else that may stand before the headers (`Exported message`). */
const MAX_LEAD_LINES = 8;
const MAX_LEAD = 2048;

/** RFC 5322 §2.2: any visible ASCII but a colon, with the blanks before it that §4.5 allows. */
const HEADER_LINE = /^[!-9;-~]{1,80}[ \t]{0,8}:/;
const KNOWN = /^(?:from|to|cc|subject|date|received|message-id|mime-version|return-path|reply-to|content-type|delivered-to)[ \t]{0,8}:/gim;
/** What a mail has and an answer of a web server has not. */
const MAIL_ONLY = /^(?:from|to|subject|received|message-id|mime-version|return-path|delivered-to)[ \t]{0,8}:/im;

/** Whether bytes look like a mail, or a mailbox of several: header lines at the start, some of them of the kind every mail has. */
export function looksLikeEmail(bytes: Uint8Array): boolean {
  return mailStart(plainMail(bytes.subarray(0, MAX_HEAD)).toString('latin1')) >= 0;
}

/** Where the headers start in the text of a mail (one character a byte, line ends in LF); -1 when it is none. */
export function mailStart(text: string): number {
  let at = /^\s*/.exec(text.slice(0, MAX_HEAD))?.[0].length ?? 0;
  if (isHead(text, at, 2) || bareBoundary(text.slice(at, at + 256)) !== null) return at;
  // What stands before has to be short, and what follows beyond doubt.
  for (let line = 0; line < MAX_LEAD_LINES && at < MAX_LEAD; line += 1) {
    const end = text.indexOf('\n', at);
    if (end < 0) return -1;
    at = end + 1;
    if (isHead(text, at, 3)) return at;
  }
  return -1;
}

/** Whether headers start at `at`, `known` of which are well known. */
function isHead(text: string, at: number, known: number): boolean {
  const from = text.startsWith('From ', at) ? text.indexOf('\n', at) + 1 : at;
  if (!HEADER_LINE.test(text.slice(from, from + 96))) return false;
  const end = text.slice(from).search(/\n\r?\n/);
  const head = end < 0 ? text.slice(from) : text.slice(from, from + end);
  return (head.match(KNOWN)?.length ?? 0) >= known && MAIL_ONLY.test(head);
}
