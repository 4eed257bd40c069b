// src/rows/kept/: what a search leaves to later ones, and the file it leaves it in.
import { VERDICT_WORDS } from '../../model/verdict.ts';
import type { KeptCells } from '../answer-frames.ts';
import type { RowSuffixes } from '../row-suffixes.ts';
import type { AdoptionTimes, SnapshotPlaces, ValueAnswers } from '../value-answers.ts';
import { FIRST_VALUE_ID, ValueTable } from '../value-table.ts';
import type { ValueTableState } from '../value-table.ts';

/** What a search knows of the values it saw, and the next ones need not ask: no objects, only bytes and numbers. */
export interface ValueSnapshot extends SnapshotPlaces {
  /** The routes of the fields that were looked up; left out: every provider was asked about every field. */
  readonly routes?: Readonly<Record<string, string>>;
  readonly table: ValueTableState;
  readonly cells: KeptCells;
}

/** The parts of a search that know something. */
export interface SnapshotParts {
  readonly values: ValueTable;
  readonly answers: ValueAnswers;
  readonly suffixes: RowSuffixes;
}

/** What a search leaves. */
export interface TakenSnapshot {
  readonly known: ValueSnapshot;
  /** Whether it is only what the search knows beyond what it went on from. */
  readonly isRest: boolean;
}

/** More bytes than that would take longer to read than to look up anew. */
const MAX_BYTES = 16 << 20;
/** With less news than this share of it all, what was kept before stays as it is, and the news is kept beside it. */
const NEWS_SHARE = 1 / 32;

/** Where at least so many values were recalled and less than this share of a search's own was among them, values come once and never again. */
const MANY_VALUES = 16_384;
const REPEATED_SHARE = 1 / 8;

/**
 * Gathers what may be shown again: whole answers within their lifetime. `null`: there is no news, too much to keep, or nothing that
 * comes again. When everything is too much, what this search saw is kept.
 */
export function takeSnapshot(parts: SnapshotParts, nowS: number): TakenSnapshot | null {
  const { values, answers } = parts;
  const { recalled, seen, both } = answers.countRecalled();
  if (recalled > MANY_VALUES && both < seen * REPEATED_SHARE) return null;
  const ids: number[] = [];
  for (let id = FIRST_VALUE_ID; id < values.count; id++) if (answers.keepUntilS(id) > nowS) ids.push(id);
  if (!ids.some((id) => answers.isNew(id))) return null;
  const rest = ids.filter((id) => id >= recalled || answers.isNew(id));
  const isRest = rest.length < ids.length * NEWS_SHARE;
  const known =
    gather(parts, isRest ? rest : ids) ??
    gather(
      parts,
      ids.filter((id) => answers.wasSeen(id)),
    );
  return known === null ? null : { known, isRest };
}

/** Hands what an earlier search knew to the parts of this one, which have seen nothing yet. */
export function restoreSnapshot({ values, answers, suffixes }: SnapshotParts, known: ValueSnapshot, nowS: number): void {
  values.restore(known.table);
  answers.restore(known, nowS);
  suffixes.restore(known.cells);
}

/** Takes what another search knew of `ids`; answers those of them that it did not know, or whose answers have run out. */
export function adoptFrom(parts: SnapshotParts, known: ValueSnapshot, ids: readonly number[], times: AdoptionTimes): number[] {
  const { values, answers, suffixes } = parts;
  const table = new ValueTable();
  table.restore(known.table);
  const adopt = suffixes.adopterOf(known.cells);
  return ids.filter((id) => {
    const other = table.findFrom(values, id);
    if (other === 0 || !answers.adopt(id, known, other, times)) return true;
    adopt(id, other);
    return false;
  });
}

function gather({ values, answers, suffixes }: SnapshotParts, ids: readonly number[]): ValueSnapshot | null {
  const table = new ValueTable();
  const count = FIRST_VALUE_ID + ids.length;
  const places = new Float64Array(count);
  const untilS = new Float64Array(count);
  const verdicts = new Uint8Array(count);
  for (const id of ids) {
    const own = table.idFrom(values, id);
    places[own] = answers.placeOf(id);
    untilS[own] = answers.keepUntilS(id);
    verdicts[own] = VERDICT_WORDS.indexOf(answers.verdictOf(id));
  }
  const cells = suffixes.keep(ids);
  return cells.answers.pieces.bytes.length > MAX_BYTES ? null : { table: table.state(), places, untilS, verdicts, cells };
}
