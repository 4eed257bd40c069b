import { enlarge } from './row-scanner.ts';
import { RenderedCells } from './rendered-cells.ts';

/** Frames as they stand, for another process: see `AnswerFrames`. */
export interface AnswerFramesState {
  readonly pieces: { readonly bytes: Buffer<ArrayBuffer>; readonly ends: Int32Array<ArrayBuffer> };
  readonly numbers: Int32Array<ArrayBuffer>;
}

/** The cells of values, by the ids of their table, as every search can show them: whatever its fields and columns are. */
export interface KeptCells {
  readonly answers: AnswerFramesState;
  /** By id: the frame of its answer, and the cell `indicator` among the pieces. */
  readonly frames: Int32Array<ArrayBuffer>;
  readonly indicators: Int32Array<ArrayBuffer>;
}

const PIECES = 3;
const FIRST_FRAMES = 1 << 10;

/**
 * What the cells of an answer look like around the indicator, by number from 1: as bytes that fit every search, whatever its fields and
 * columns are. A frame has three pieces: the cells before the indicator, those behind the name of the looked-up field, and the explanation.
 */
export class AnswerFrames {
  /** The owner may keep its own pieces beside those of the frames. */
  readonly pieces = new RenderedCells();
  /** Three numbers of pieces a frame, which begins at its number; the explanation's is 0 until there is one. */
  #numbers = new Int32Array(FIRST_FRAMES * PIECES);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Keeps a frame; answers its number. */
  add(before: string, behind: string): number {
    const frame = this.#next();
    this.#numbers[frame * PIECES] = this.pieces.add(before);
    this.#numbers[frame * PIECES + 1] = this.pieces.add(behind);
    this.#numbers[frame * PIECES + 2] = 0;
    return frame;
  }

  /** Keeps a frame of `other`; answers its number here. */
  addFrom(other: AnswerFrames, frame: number): number {
    const own = this.#next();
    for (let n = 0; n < PIECES; n++) {
      const piece = other.#numbers[frame * PIECES + n] as number;
      this.#numbers[own * PIECES + n] = piece === 0 ? 0 : this.pieces.addFrom(other.pieces, piece);
    }
    return own;
  }

  /** Copies frames of `other`, each once. */
  copierFrom(other: AnswerFrames): (frame: number) => number {
    const copies = new Int32Array(other.#count + 1);
    return (frame) => (copies[frame] ||= this.addFrom(other, frame));
  }

  before(frame: number): number {
    return this.#numbers[frame * PIECES] as number;
  }

  behind(frame: number): number {
    return this.#numbers[frame * PIECES + 1] as number;
  }

  /** `explain`: asked where nobody explained it yet. */
  explanation(frame: number, explain: (frame: number) => string): number {
    return (this.#numbers[frame * PIECES + 2] ||= this.pieces.add(explain(frame)));
  }

  /** The arrays that another process goes on with. */
  state(): AnswerFramesState {
    const { bytes, ends, size, count } = this.pieces;
    return {
      pieces: { bytes: bytes.subarray(0, size), ends: ends.slice(0, count + 1) },
      numbers: this.#numbers.slice(0, (this.#count + 1) * PIECES),
    };
  }

  /** Goes on with frames that were kept, whose arrays become its own. */
  restore({ pieces, numbers }: AnswerFramesState): void {
    this.pieces.restore(pieces.bytes, pieces.ends);
    this.#numbers = numbers;
    this.#count = numbers.length / PIECES - 1;
  }

  /** Forgets all of them, and all pieces; the numbers will be given again. */
  clear(): void {
    this.pieces.clear();
    this.#count = 0;
  }

  #next(): number {
    const frame = ++this.#count;
    const needed = (frame + 1) * PIECES;
    if (needed > this.#numbers.length) this.#numbers = enlarge(this.#numbers, needed * 2);
    return frame;
  }
}
