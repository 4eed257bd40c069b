import { clearEventMap } from './event-map.ts';
import { CLOSE_OBJECT, COLON, COMMA, OPEN_ARRAY, OPEN_OBJECT, QUOTE, skipSpace } from './json-bytes.ts';
import { createKeyTree } from './key-tree.ts';
import type { KeyNode } from './key-tree.ts';
import { scanEvent } from './scan-event.ts';
import type { Scan } from './scan-event.ts';

// Files of CloudTrail (`Records`) and of Azure's diagnostic settings (`records`) hold their events so.
const NAME = Buffer.from('ecords"');
const SMALL_R = 0x72;
const TO_SMALL = 0x20;
const NOTHING = createKeyTree();

/**
 * Where the array of the object at `start` opens whose first member is `Records` or `records` with an array of objects; -1 for any other object,
 * and where a wanted field has that name.
 */
export function openRecords({ bytes, end }: Scan, wanted: KeyNode, start: number): number {
  let pos = start + 1;
  if (bytes[pos] !== QUOTE) pos = skipSpace(bytes, pos, end);
  if (bytes[pos] !== QUOTE || ((bytes[pos + 1] ?? 0) | TO_SMALL) !== SMALL_R) return -1;
  for (let n = 0; n < NAME.length; n++) if (bytes[pos + 2 + n] !== NAME[n]) return -1;
  if (wanted.byText.has('Records') || wanted.byText.has('records')) return -1;
  pos = skipSpace(bytes, pos + 2 + NAME.length, end);
  if (pos >= end || bytes[pos] !== COLON) return -1;
  const array = skipSpace(bytes, pos + 1, end);
  if (array >= end || bytes[array] !== OPEN_ARRAY) return -1;
  const item = skipSpace(bytes, array + 1, end);
  return item < end && bytes[item] === OPEN_OBJECT ? array : -1;
}

/** Past the `}` of an object whose `Records` end at `from`; its other members are only checked. A fault as of `scanEvent`. */
export function endOfRecords(scan: Scan, from: number): number {
  const pos = skipSpace(scan.bytes, from, scan.end);
  if (pos < scan.end && scan.bytes[pos] === CLOSE_OBJECT) return pos + 1;
  if (pos >= scan.end || scan.bytes[pos] !== COMMA) return ~pos;
  clearEventMap(scan.map);
  // An object is read from behind its bracket, and members from behind a comma: the same.
  return scanEvent(scan, NOTHING, pos, 0);
}
