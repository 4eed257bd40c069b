import { BACKSLASH, CLOSE_ARRAY, CLOSE_OBJECT, COMMA, OPEN_ARRAY, OPEN_OBJECT, QUOTE, SPACE, skipSpace } from '../json/lex.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * The events of a body, as they stand there, each on one line: those of an array, or objects one behind the other (one a line, or one in
 * all). `null`: it is neither. What is inside the braces is the engine's to judge.
 */
export function splitEvents(body: Buffer): Buffer[] | null {
  const start = skipSpace(body, 0, body.length);
  const isArray = body[start] === OPEN_ARRAY;
  const events: Buffer[] = [];
  let pos = isArray ? skipSpace(body, start + 1, body.length) : start;
  if (isArray && body[pos] === CLOSE_ARRAY) return isBlank(body, pos + 1) ? events : null;
  while (body[pos] === OPEN_OBJECT) {
    const end = endOfObject(body, pos);
    if (end < 0) return null;
    events.push(onOneLine(body, pos, end));
    pos = skipSpace(body, end, body.length);
    if (!isArray) continue;
    if (body[pos] === CLOSE_ARRAY) return isBlank(body, pos + 1) ? events : null;
    if (body[pos] !== COMMA) return null;
    pos = skipSpace(body, pos + 1, body.length);
  }
  return !isArray && pos === body.length && events.length > 0 ? events : null;
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
      pos = endOfText(body, pos + 1);
      if (pos < 0) return -1;
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++;
    else if ((byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) && --depth === 0) return pos + 1;
  }
  return -1;
}

/** The quote that ends the text whose first byte is at `from`; -1: there is none. */
function endOfText(body: Buffer, from: number): number {
  for (let pos = from; pos < body.length; pos++) {
    if (body[pos] === BACKSLASH) pos++;
    else if (body[pos] === QUOTE) return pos;
  }
  return -1;
}

/** Line ends of JSON stand between its tokens only, where a blank does as well. */
function onOneLine(body: Buffer, start: number, end: number): Buffer {
  const event = body.subarray(start, end);
  if (!event.includes(LINE_FEED) && !event.includes(CARRIAGE_RETURN)) return event;
  return Buffer.from(event).map((byte) => (byte === LINE_FEED || byte === CARRIAGE_RETURN ? SPACE : byte)) as Buffer;
}
