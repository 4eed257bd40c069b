const SHOWN = 24;

/** Says, for people, what is wrong with a JSON text from the byte at `offset` on. */
export function describeFault(text: Uint8Array, offset: number, maxDepth: number): string {
  if (text.length === 0) return 'the body is empty';
  if (offset >= text.length) return `the text ends at byte ${text.length} before its brackets or quotes are closed`;
  if (depthAt(text, offset) >= maxDepth && (text[offset] === 0x7b || text[offset] === 0x5b))
    return `more than ${maxDepth} brackets are open at byte ${offset}`;
  const shown = Buffer.from(text.subarray(offset, offset + SHOWN)).toString('latin1');
  return `no JSON from byte ${offset} on: ${JSON.stringify(shown)}`;
}

/** Brackets open before `offset`, in a text that is sound up to there. */
function depthAt(text: Uint8Array, offset: number): number {
  let depth = 0;
  let isInString = false;
  for (let pos = 0; pos < offset; pos++) {
    const byte = text[pos];
    if (isInString && byte === 0x5c) pos++;
    else if (byte === 0x22) isInString = !isInString;
    else if (isInString) continue;
    else if (byte === 0x7b || byte === 0x5b) depth++;
    else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return depth;
}
