import { CLOSE_ARRAY, CLOSE_OBJECT, closingQuote, COMMA, OPEN_ARRAY, OPEN_OBJECT, QUOTE, SPACE, skipSpace } from '../json/json-bytes.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** How far the events of a body were read. */
export interface EventCursor {
  readonly body: Buffer;
  readonly isArray: boolean;
  /** Where the next event begins. */
  pos: number;
  /** Where the last event began and ended. */
  start: number;
  end: number;
}

/**
 * Begins to read the events of a body: those of an array, or objects one behind the other (one a line, or one in all). `null`: it is
 * neither. What is inside the braces is the engine's to judge.
 */
export function beginEvents(body: Buffer): EventCursor | null {
  const start = skipSpace(body, 0, body.length);
  const isArray = body[start] === OPEN_ARRAY;
  const pos = isArray ? skipSpace(body, start + 1, body.length) : start;
  const isEmptyArray = isArray && body[pos] === CLOSE_ARRAY && isBlank(body, pos + 1);
  return body[pos] === OPEN_OBJECT || isEmptyArray ? { body, isArray, pos, start: pos, end: pos } : null;
}

/** Moves to the next event: `event`, at `start` to `end`; `end`: there is none; `broken`: what comes is no event. */
export function nextEvent(cursor: EventCursor): 'event' | 'end' | 'broken' {
  const { body, isArray, pos } = cursor;
  if (body[pos] !== OPEN_OBJECT) return 'end';
  cursor.start = pos;
  cursor.end = endOfObject(body, pos);
  if (cursor.end < 0) return 'broken';
  cursor.pos = skipSpace(body, cursor.end, body.length);
  if (!isArray) return cursor.pos === body.length || body[cursor.pos] === OPEN_OBJECT ? 'event' : 'broken';
  if (body[cursor.pos] === CLOSE_ARRAY) return isBlank(body, cursor.pos + 1) ? 'event' : 'broken';
  if (body[cursor.pos] !== COMMA) return 'broken';
  cursor.pos = skipSpace(body, cursor.pos + 1, body.length);
  return body[cursor.pos] === OPEN_OBJECT ? 'event' : 'broken';
}

/** The event that the cursor stands on, on one line. */
export function eventAt({ body, start, end }: EventCursor): Buffer {
  return onOneLine(body, start, end);
}

function isBlank(body: Buffer, from: number): boolean {
  return skipSpace(body, from, body.length) === body.length;
}

/** Past the brace that closes the one at `from`; -1: there is none. */
function endOfObject(body: Buffer, from: number): number {
  let depth = 0;
  for (let pos = from; pos < body.length; pos++) {
    const byte = body[pos];
    if (byte === QUOTE) {
      pos = closingQuote(body, pos + 1);
      if (pos < 0) return -1;
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++;
    else if ((byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) && --depth === 0) return pos + 1;
  }
  return -1;
}

/** Line ends of JSON stand between its tokens only, where a blank does as well. */
function onOneLine(body: Buffer, start: number, end: number): Buffer {
  const event = body.subarray(start, end);
  if (!event.includes(LINE_FEED) && !event.includes(CARRIAGE_RETURN)) return event;
  return Buffer.from(event).map((byte) => (byte === LINE_FEED || byte === CARRIAGE_RETURN ? SPACE : byte)) as Buffer;
}
