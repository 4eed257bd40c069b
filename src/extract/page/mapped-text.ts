/** A piece of a text that was made from a source: where it stands in either. */
interface Piece {
  readonly at: number;
  readonly length: number;
  readonly start: number;
  readonly end: number;
}

/** A text made of pieces of a source (a page), which knows for each of its places the place in the source. */
export class MappedText {
  readonly #texts: string[] = [];
  readonly #pieces: Piece[] = [];
  #length = 0;

  /** Adds a piece that stands for what the source has from `start` to `end`. */
  add(text: string, start: number, end: number): void {
    if (text === '') return;
    this.#texts.push(text);
    this.#pieces.push({ at: this.#length, length: text.length, start, end });
    this.#length += text.length;
  }

  /** Ends the word before, at a place of the source. */
  break(at: number): void {
    const last = this.#texts.at(-1);
    if (last !== undefined && last !== '\n') this.add('\n', at, at);
  }

  /** The whole text. */
  toString(): string {
    return this.#texts.join('');
  }

  /** The place in the source of what starts at `from` and ends before `to`. */
  sourceOf(from: number, to: number): { start: number; end: number } {
    const first = this.#pieceAt(from);
    const last = this.#pieceAt(to - 1);
    if (first === undefined || last === undefined) return { start: 0, end: 0 };
    const start = isSame(first) ? first.start + from - first.at : first.start;
    return { start, end: isSame(last) ? last.start + to - last.at : last.end };
  }

  #pieceAt(place: number): Piece | undefined {
    let low = 0;
    let high = this.#pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#pieces[middle]?.at ?? 0) <= place) low = middle;
      else high = middle - 1;
    }
    return this.#pieces[low];
  }
}

/** Whether the piece was taken over as it stood, so that places inside of it are known. */
function isSame({ length, start, end }: Piece): boolean {
  return length === end - start;
}
