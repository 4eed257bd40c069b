/** Characters of a text that are searched in one call: small, so that the first rows come soon and nobody waits for one long answer. */
const PIECE_CHARACTERS = 131_072;

/** The first piece is shorter still: what comes first is read first. */
const FIRST_CHARACTERS = 16_384;

/** A piece of a text, and where it begins there. */
export interface TextPiece {
  readonly text: string;
  readonly offset: number;
}

/** Cuts a text into pieces at ends of lines; a longer line is cut at a blank, and one without any where it has to be. */
export function* cutText(text: string, most = PIECE_CHARACTERS): Generator<TextPiece> {
  let offset = 0;
  while (offset < text.length) {
    const end = endOfPiece(text, offset, offset === 0 ? Math.min(most, FIRST_CHARACTERS) : most);
    yield { text: text.slice(offset, end), offset };
    offset = end;
  }
}

function endOfPiece(text: string, from: number, most: number): number {
  if (text.length - from <= most) return text.length;
  for (const mark of ['\n', ' ']) {
    const at = text.lastIndexOf(mark, from + most - 1);
    if (at > from) return at + 1;
  }
  const low = text.charCodeAt(from + most);
  return low >= 0xdc00 && low <= 0xdfff ? from + most - 1 : from + most;
}

/** Values that are looked up in one call: few at first, so that something is there to read. */
export function* cutValues<T>(values: readonly T[], sizes: readonly number[]): Generator<readonly T[]> {
  let from = 0;
  for (let n = 0; from < values.length; n++) {
    const size = sizes[Math.min(n, sizes.length - 1)] ?? 1;
    yield values.slice(from, from + size);
    from += size;
  }
}
