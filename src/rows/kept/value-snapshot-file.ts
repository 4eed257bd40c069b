import { closeSync, fdatasyncSync, fstatSync, openSync, readSync, renameSync, rmSync, writevSync } from 'node:fs';
import type { ValueSnapshot } from './value-snapshot.ts';

/** Eight bytes, so that all that follows lies on words. The last digit counts changes of the format. */
const MAGIC = Buffer.from('IMKNOWN2');
const PRELUDE_BYTES = 16;
const WORD = 8;

/** What stands before the numbers: `about` belongs to the caller. */
interface Header {
  readonly about: unknown;
  readonly seed: number;
  readonly count: number;
  readonly routes?: Readonly<Record<string, string>>;
  /** Bytes of each section, in the order of `sectionsOf`. */
  readonly sizes: readonly number[];
}

/**
 * Writes what a search knows. Others see the file whole or not at all, also after the power failed. Throws what the disk says.
 * Words are in the order of this machine: the file never leaves it.
 */
export function writeSnapshot(path: string, about: unknown, known: ValueSnapshot): void {
  const sections = sectionsOf(known);
  const { seed, count } = known.table;
  const routes = known.routes && { routes: known.routes };
  const header: Header = { about, seed, count, ...routes, sizes: sections.map(({ byteLength }) => byteLength) };
  const text = padded(Buffer.from(JSON.stringify(header)), 0x20);
  const prelude = Buffer.alloc(PRELUDE_BYTES);
  MAGIC.copy(prelude);
  prelude.writeUInt32LE(text.length, MAGIC.length);
  // Machines that share the folder may share process ids as well.
  const part = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  const descriptor = openSync(part, 'w', 0o600);
  try {
    const buffers = [prelude, text, ...sections.map((section) => padded(section, 0))];
    const written = writevSync(descriptor, buffers);
    if (written !== buffers.reduce((sum, { length }) => sum + length, 0)) throw new Error('the disk took a part only');
    fdatasyncSync(descriptor);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  renameSync(part, path);
}

/** Reads what was written, if `accept` says so of what it is about; `null`: it does not, or there is no such file, or another format's. */
export async function readSnapshot(path: string, accept: (about: unknown) => Promise<boolean>): Promise<ValueSnapshot | null> {
  const descriptor = openOrNull(path);
  if (descriptor === null) return null;
  try {
    const { size } = fstatSync(descriptor);
    const prelude = read(descriptor, 0, PRELUDE_BYTES);
    if (prelude === null || !prelude.subarray(0, MAGIC.length).equals(MAGIC)) return null;
    const textBytes = prelude.readUInt32LE(MAGIC.length);
    const text = textBytes <= size ? read(descriptor, PRELUDE_BYTES, textBytes) : null;
    if (text === null) return null;
    const header = JSON.parse(text.toString('utf8')) as Header;
    const bytes = header.sizes.reduce((sum, section) => sum + paddedSize(section), 0);
    if (size !== PRELUDE_BYTES + textBytes + bytes || !(await accept(header.about))) return null;
    const sections = read(descriptor, PRELUDE_BYTES + textBytes, bytes);
    return sections === null ? null : knownIn(sections, header);
  } finally {
    closeSync(descriptor);
  }
}

function sectionsOf({ table, places, untilS, verdicts, cells }: ValueSnapshot): Buffer[] {
  const { slots, hashes, ends, bytes } = table;
  const { answers, frames, indicators } = cells;
  const { pieces, numbers } = answers;
  return [untilS, places, slots, hashes, ends, frames, indicators, numbers, pieces.ends, verdicts, bytes, pieces.bytes].map((section) =>
    Buffer.from(section.buffer as ArrayBuffer, section.byteOffset, section.byteLength),
  );
}

function knownIn(all: Buffer<ArrayBuffer>, { seed, count, routes, sizes }: Header): ValueSnapshot {
  let at = 0;
  let section = 0;
  const next = () => {
    const from = at;
    const size = sizes[section++] ?? 0;
    at += paddedSize(size);
    return { from, size };
  };
  const floats = () => {
    const { from, size } = next();
    return new Float64Array(all.buffer, from, size / Float64Array.BYTES_PER_ELEMENT);
  };
  const integers = () => {
    const { from, size } = next();
    return new Int32Array(all.buffer, from, size / Int32Array.BYTES_PER_ELEMENT);
  };
  const bytes = () => {
    const { from, size } = next();
    return all.subarray(from, from + size);
  };
  // Read in the order they were written in.
  const [untilS, places, slots, hashes, ends] = [floats(), floats(), integers(), integers(), integers()];
  const [frames, indicators, numbers, pieceEnds] = [integers(), integers(), integers(), integers()];
  const [verdicts, tableBytes, pieceBytes] = [bytes(), bytes(), bytes()];
  return {
    ...(routes && { routes }),
    untilS,
    places,
    verdicts,
    table: { seed, count, slots, hashes, ends, bytes: tableBytes },
    cells: { answers: { pieces: { bytes: pieceBytes, ends: pieceEnds }, numbers }, frames, indicators },
  };
}

/** `length` bytes from `position`, in memory of their own; `null`: the file is shorter. */
function read(descriptor: number, position: number, length: number): Buffer<ArrayBuffer> | null {
  const bytes = Buffer.allocUnsafeSlow(length);
  return readSync(descriptor, bytes, 0, length, position) === length ? bytes : null;
}

function openOrNull(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function paddedSize(size: number): number {
  return Math.ceil(size / WORD) * WORD;
}

function padded(bytes: Buffer, filler: number): Buffer {
  const size = paddedSize(bytes.length);
  return size === bytes.length ? bytes : Buffer.concat([bytes, Buffer.alloc(size - bytes.length, filler)]);
}
