import { endOfPlace, startOfPlace } from '../events/insertions.ts';
import { clearEventMap, createEventMap, Place } from '../events/json/event-map.ts';
import { wordsIn } from '../events/json/json-bytes.ts';
import { scanEvent } from '../events/json/scan-event.ts';
import { DEFAULT_FIELDS, createWantedFields } from '../events/wanted-fields.ts';

/** The tag of an event that a killed replay may have given out before. */
export const REPEATED_TAG = '_ismalicious_repeated';

const MAX_DEPTH = 128;
const { tree } = createWantedFields(DEFAULT_FIELDS);

/** The event with the tag; nothing else in it changes. */
export function markRepeated(line: string): string {
  const bytes = Buffer.from(line);
  const map = createEventMap();
  clearEventMap(map);
  const isRead =
    scanEvent({ bytes, words: wordsIn(bytes), end: bytes.length, maxDepth: MAX_DEPTH, map }, tree, Math.max(0, bytes.indexOf('{')), 0) >= 0;
  const tag = JSON.stringify(REPEATED_TAG);
  const start = isRead ? startOfPlace(map, Place.tags) : -1;
  if (start < 0)
    return line.replace(/^\s*\{(\s*)(\}?)/, (_, space: string, end: string) => `{"tags":[${tag}]${end === '' ? ',' : ''}${space}${end}`);
  const there = bytes.toString('utf8', start, endOfPlace(map, Place.tags));
  if (there.includes(tag)) return line;
  const items = there.startsWith('[') ? there.slice(1, -1).trim() : there === 'null' ? '' : there;
  const tags = items === '' ? `[${tag}]` : `[${items},${tag}]`;
  return bytes.toString('utf8', 0, start) + tags + bytes.toString('utf8', endOfPlace(map, Place.tags));
}
