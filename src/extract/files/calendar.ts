import type { Opened } from '../opened.ts';
import { opened } from '../opened.ts';

/** Opens a calendar or a card: lines folded at 75 octets are whole again (RFC 5545 §3.1, RFC 6350 §3.2), escapes undone. */
export function openCalendar(text: string): Opened {
  const lines = text.replace(/\r?\n[ \t]/g, '').split(/\r?\n/);
  const isGuest = (line: string) => /^ATTENDEE\b/i.test(line);
  const kept = lines.filter((line) => !isGuest(line)).join('\n');
  const plain = kept.replace(/\\n/gi, '\n').replace(/\\([,;\\])/g, '$1');
  return opened({ texts: [{ label: '', text: plain, isPage: false }], recipients: lines.filter(isGuest) });
}
