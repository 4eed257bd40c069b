import { BlockWriter } from './block-writer.ts';
import type { ByteSink } from './byte-streams.ts';
import type { RowBlock } from './row-block.ts';
import type { RowLayout } from './row-layout.ts';
import type { RowScanner } from './row-scanner.ts';
import { NO_ROW } from './row-suffixes.ts';
import type { RowSuffixes } from './row-suffixes.ts';

/** What the rows of a reply are put together from. */
export interface ReplyRows {
  readonly block: RowBlock;
  readonly layout: RowLayout;
  readonly rows: RowScanner;
  readonly suffixes: RowSuffixes;
  /** Where the input's header ends. */
  readonly headerEnd: number;
}

/**
 * Writes replies: the input's own bytes with the new cells spliced in, in blocks, so that a chunk is never held twice.
 * A row is copied together with the line end before it; where cells of the input are left out, in the pieces between them.
 */
export class RowWriter {
  readonly #blocks: BlockWriter;

  constructor(sink: ByteSink) {
    this.#blocks = new BlockWriter(sink);
  }

  /** Header and rows behind a head that is made for their number of bytes. */
  writeBehind(headOf: (bodyBytes: number) => Buffer, reply: ReplyRows): void {
    const bodyBytes = measure(reply);
    const head = headOf(bodyBytes);
    this.#blocks.reserve(head.length + bodyBytes);
    this.#blocks.appendAll(head);
    this.#blocks.appendAll(reply.layout.head);
    this.#appendRows(reply);
    this.#blocks.flush();
  }

  /**
   * The table alone, with the cells that a row has beyond the header at its very end; `headerLine`: bytes of the input's header with its line
   * end, left out of all parts but the first.
   */
  writeTable(reply: ReplyRows, isFirst: boolean, headerLine: number): void {
    this.#blocks.reserve(reply.block.bodyEnd * 2);
    if (isFirst) this.#blocks.appendAll(reply.layout.head);
    this.#appendRows(isFirst ? reply : { ...reply, headerEnd: reply.block.bodyFrom + headerLine }, true);
    this.#blocks.flush();
  }

  #appendRows({ block, layout, rows, suffixes, headerEnd }: ReplyRows, keepsExtraCells = false): void {
    const { bytes } = block;
    const { cutsPerRow } = layout;
    const { partsPerRow, parts, rendered } = suffixes;
    const blocks = this.#blocks;
    let from = headerEnd;
    for (let row = 0; row < rows.count; row++) {
      const first = parts[row * partsPerRow] as number;
      if (first !== NO_ROW) {
        for (let cut = row * cutsPerRow; cut < (row + 1) * cutsPerRow; cut += 2) {
          blocks.append(bytes, from, rows.cuts[cut] as number);
          from = cut + 1 < (row + 1) * cutsPerRow ? (rows.cuts[cut + 1] as number) : (rows.contentEnds[row] as number);
        }
        blocks.append(bytes, from, rows.contentEnds[row] as number);
        if (rows.shortBy.size > 0) this.#appendDelimiters(rows.shortBy.get(row) ?? 0, layout.delimiter);
        for (let part = row * partsPerRow; part < (row + 1) * partsPerRow; part++) {
          const number = parts[part] as number;
          blocks.append(rendered.bytes, rendered.ends[number - 1] as number, rendered.ends[number] as number);
        }
        if (keepsExtraCells) blocks.append(bytes, rows.contentEnds[row] as number, rows.lineEnds[row] as number);
      }
      from = rows.lineEnds[row] as number;
    }
    blocks.append(bytes, from, block.bodyEnd);
  }

  #appendDelimiters(count: number, delimiter: number): void {
    this.#blocks.appendAll(Buffer.alloc(count, delimiter));
  }
}

/** Bytes of the reply's body. */
function measure({ block, layout, rows, suffixes, headerEnd }: ReplyRows): number {
  const { cutsPerRow } = layout;
  const { partsPerRow, parts, rendered } = suffixes;
  let size = layout.head.length;
  let from = headerEnd;
  for (let row = 0; row < rows.count; row++) {
    if (parts[row * partsPerRow] !== NO_ROW) {
      size += (rows.contentEnds[row] as number) - from;
      for (let cut = row * cutsPerRow; cut < (row + 1) * cutsPerRow; cut += 2) {
        const end = cut + 1 < (row + 1) * cutsPerRow ? (rows.cuts[cut + 1] as number) : (rows.contentEnds[row] as number);
        size -= end - (rows.cuts[cut] as number);
      }
      for (let part = row * partsPerRow; part < (row + 1) * partsPerRow; part++) {
        const number = parts[part] as number;
        size += (rendered.ends[number] as number) - (rendered.ends[number - 1] as number);
      }
    }
    from = rows.lineEnds[row] as number;
  }
  for (const [row, commas] of rows.shortBy) if (parts[row * partsPerRow] !== NO_ROW) size += commas;
  return size + block.bodyEnd - from;
}
