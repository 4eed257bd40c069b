import { VERDICT_WORDS } from '../model/verdict.ts';
import type { ValueAnswers, SnapshotPlaces } from './value-answers.ts';
import { RenderedCells } from './rendered-cells.ts';
import type { RowSuffixes } from './row-suffixes.ts';
import { FIRST_VALUE_ID, ValueTable } from './value-table.ts';
import type { ValueTableState } from './value-table.ts';

/** What a search knows of the values it saw, and the next one of the same shape needs not ask: no objects, only bytes and numbers. */
export interface ValueSnapshot extends SnapshotPlaces {
  /** The routes of the fields that were looked up; left out: every provider was asked about every field. */
  readonly routes?: readonly string[];
  readonly table: ValueTableState;
  readonly rendered: { readonly bytes: Buffer<ArrayBuffer>; readonly ends: Int32Array<ArrayBuffer> };
  /** What `RowSuffixes.renderAll` gave, by id. */
  readonly renderings: Int32Array<ArrayBuffer>;
}

/** The parts of a search that know something. */
export interface SnapshotParts {
  readonly values: ValueTable;
  readonly answers: ValueAnswers;
  readonly suffixes: RowSuffixes;
}

/** More bytes than that would take longer to read than to look up anew. */
const MAX_BYTES = 16 << 20;
/** With less news than this share of it all, what was kept before stays. */
const NEWS_SHARE = 1 / 32;
/** But for a search that saw this share of it all, and opened the engine for news that it did not pay for. */
const SEEN_SHARE = 1 / 4;

/** Where at least so many values were recalled and less than this share of a search's own was among them, values come once and never again. */
const MANY_VALUES = 16_384;
const REPEATED_SHARE = 1 / 8;

/**
 * Gathers what may be shown again: whole answers within their lifetime. `null`: there is little news, too much to keep, or nothing that
 * comes again. When everything is too much, what this search saw is kept.
 */
export function takeSnapshot(parts: SnapshotParts, nowS: number): ValueSnapshot | null {
  const { values, answers } = parts;
  const { recalled, seen, both } = answers.countRecalled();
  if (recalled > MANY_VALUES && both < seen * REPEATED_SHARE) return null;
  const ids: number[] = [];
  let news = 0;
  let isPaid = false;
  for (let id = FIRST_VALUE_ID; id < values.count; id++) {
    if (answers.keepUntilS(id) <= nowS) continue;
    ids.push(id);
    if (answers.isNew(id)) news++;
    isPaid ||= parts.suffixes.isPaid(id);
  }
  const isWorthWriting = news >= ids.length * NEWS_SHARE || (!isPaid && seen >= ids.length * SEEN_SHARE);
  if (news === 0 || !isWorthWriting) return null;
  return (
    gather(parts, ids) ??
    gather(
      parts,
      ids.filter((id) => answers.wasSeen(id)),
    )
  );
}

/** Hands what an earlier search knew to the parts of this one, which have seen nothing yet. */
export function restoreSnapshot({ values, answers, suffixes }: SnapshotParts, known: ValueSnapshot, nowS: number): void {
  values.restore(known.table);
  answers.restore(known, nowS);
  suffixes.restore(known.rendered, known.renderings, known.table.count);
}

function gather({ values, answers, suffixes }: SnapshotParts, ids: readonly number[]): ValueSnapshot | null {
  const table = new ValueTable();
  const rendered = new RenderedCells();
  const { perId } = suffixes;
  const count = FIRST_VALUE_ID + ids.length;
  const places = new Float64Array(count);
  const untilS = new Float64Array(count);
  const verdicts = new Uint8Array(count);
  const renderings = new Int32Array(count * perId);
  for (const id of ids) {
    const all = suffixes.renderAll(id);
    if (all === null) continue;
    const own = table.idFrom(values, id);
    places[own] = answers.placeOf(id);
    untilS[own] = answers.keepUntilS(id);
    verdicts[own] = VERDICT_WORDS.indexOf(answers.verdictOf(id));
    for (let n = 0; n < perId; n++) renderings[own * perId + n] = rendered.addFrom(suffixes.rendered, all[n] as number);
    if (rendered.size > MAX_BYTES) return null;
  }
  const kept = table.count;
  return {
    table: table.state(),
    rendered: { bytes: rendered.bytes.subarray(0, rendered.size), ends: rendered.ends.slice(0, rendered.count + 1) },
    places: places.subarray(0, kept),
    untilS: untilS.subarray(0, kept),
    verdicts: verdicts.subarray(0, kept),
    renderings: renderings.subarray(0, kept * perId),
  };
}
