/** Pieces that mean something to a reader of frames, CSV or JSON, and some that no UTF-8 has. */
const TOKENS: readonly Buffer[] = [
  '"',
  '""',
  ',',
  '\n',
  '\r\n',
  '\r',
  'chunked 1.0,',
  'chunked 1.0,0,0\n',
  ',-1,',
  '99999999999',
  '$',
  '$;$',
  '{',
  '}',
  '[',
  '\\',
  '__mv_',
  'im_verdict',
  '\uFEFF',
  '\0',
  'finished',
  'execute',
  'getinfo',
].map((text) => Buffer.from(text));
const BROKEN_UTF8 = [[0xff], [0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xed, 0xa0, 0x80], [0xc0, 0xaf]].map((bytes) => Buffer.from(bytes));
const PIECES = [...TOKENS, ...BROKEN_UTF8];

/** Whole numbers from 0 to below `below`, always the same for a seed; small and fast: mulberry32. */
export function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** One to four changes: bytes left out, put in, changed, moved up, or the end cut off. */
export function mutate(source: Buffer, random: (below: number) => number): Buffer {
  let bytes = Buffer.from(source);
  for (let n = 1 + random(4); n > 0; n--) {
    const at = random(bytes.length + 1);
    const head = bytes.subarray(0, at);
    switch (random(6)) {
      case 0:
        bytes = Buffer.concat([head, bytes.subarray(Math.min(bytes.length, at + 1 + random(20)))]);
        break;
      case 1:
        bytes = Buffer.concat([head, PIECES[random(PIECES.length)]!, bytes.subarray(at)]);
        break;
      case 2:
        if (at < bytes.length) bytes[at] = random(256);
        break;
      case 3:
        bytes = Buffer.concat([head, bytes.subarray(random(bytes.length + 1))]);
        break;
      case 4:
        bytes = Buffer.concat([head, PIECES[random(PIECES.length)]!, bytes.subarray(Math.min(bytes.length, at + 1))]);
        break;
      default:
        bytes = Buffer.from(head);
    }
  }
  return bytes;
}
