import { useEffect, useState } from 'preact/hooks';
import { type Row, type Shown, type SortKey, wordOf } from './rank.ts';
import { ageOf, counted, shownValue } from './words.ts';

/** Rows on one leaf of the table: more at once would hold the page up. */
const ROWS_SHOWN = 50;

const COLUMNS: readonly (readonly [SortKey, string])[] = [
  ['indicator', 'Indicator'],
  ['score', 'Score'],
  ['worst', 'Verdict'],
  ['confidence', 'Confidence'],
  ['status', 'Status'],
  ['tier', 'Tier'],
];

interface AnswerTableProps {
  readonly rows: readonly Row[];
  readonly shown: Shown;
  readonly onSort: (shown: Shown) => void;
  readonly chosen: string | null;
  readonly onChoose: (value: string) => void;
}

/** The answers, a leaf at a time. Its roles are spelled out: on phones each row is laid out as a card. */
export function AnswerTable({ rows, shown, onSort, chosen, onChoose }: AnswerTableProps) {
  const [leaf, setLeaf] = useState(0);
  useEffect(() => setLeaf(0), [shown]);
  const last = Math.max(0, Math.ceil(rows.length / ROWS_SHOWN) - 1);
  const from = Math.min(leaf, last) * ROWS_SHOWN;
  const sort = (key: SortKey) => onSort({ ...shown, sort: key, isReversed: shown.sort === key && !shown.isReversed });
  const sorted = (key: SortKey) => (shown.sort === key ? (shown.isReversed ? 'ascending' : 'descending') : undefined);
  return (
    <>
      <table class="answers" role="table" aria-label="Answers, worst first">
        <thead role="rowgroup">
          <tr role="row">
            {COLUMNS.map(([key, title]) => (
              <th key={key} role="columnheader" scope="col" aria-sort={sorted(key)}>
                <button type="button" class="sort" onClick={() => sort(key)}>
                  {title}
                </button>
              </th>
            ))}
            <th role="columnheader" scope="col">
              Categories
            </th>
            <th role="columnheader" scope="col" aria-sort={sorted('age')}>
              <button type="button" class="sort" onClick={() => sort('age')}>
                Checked
              </button>
            </th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.slice(from, from + ROWS_SHOWN).map((row) => (
            <AnswerRow key={row.value} row={row} isChosen={row.value === chosen} onChoose={onChoose} />
          ))}
        </tbody>
      </table>
      {rows.length === 0 && <p class="dim">No value fits these filters.</p>}
      {last > 0 && (
        <div class="line leaves">
          <button type="button" disabled={from === 0} onClick={() => setLeaf(from / ROWS_SHOWN - 1)}>
            Previous
          </button>
          <span>
            {from + 1} to {Math.min(from + ROWS_SHOWN, rows.length)} of {counted(rows.length, 'value')}
          </span>
          <button type="button" disabled={from / ROWS_SHOWN >= last} onClick={() => setLeaf(from / ROWS_SHOWN + 1)}>
            Next
          </button>
        </div>
      )}
    </>
  );
}

function AnswerRow({
  row,
  isChosen,
  onChoose,
}: {
  readonly row: Row;
  readonly isChosen: boolean;
  readonly onChoose: (value: string) => void;
}) {
  const { answer } = row;
  const word = wordOf(answer);
  const facts = answer === null ? [] : [...answer.categories, ...answer.attributes];
  return (
    <tr role="row" class={isChosen ? 'chosen' : undefined}>
      <th role="rowheader" scope="row">
        <button type="button" class="value" data-row={row.value} aria-expanded={isChosen} onClick={() => onChoose(row.value)}>
          {shownValue(row)}
        </button>
        <span class="dim"> {row.type ?? 'not an indicator'}</span>
      </th>
      <td role="cell" data-label="Score">
        <ScoreBar score={answer?.score ?? null} word={word} />
      </td>
      <td role="cell" data-label="Verdict" class={`v-${word}`}>
        <strong>{word}</strong>
      </td>
      <td role="cell" data-label="Confidence">
        {answer?.confidence ?? '–'}
      </td>
      <td role="cell" data-label="Status">
        {answer?.status ?? '–'}
      </td>
      <td role="cell" data-label="Tier">
        {answer?.tier ?? '–'}
      </td>
      <td role="cell" data-label="Categories">
        {facts.length === 0 ? (answer?.message ?? '–') : facts.join(', ')}
      </td>
      <td role="cell" data-label="Checked">
        {ageOf(answer?.checked_at ?? null, Date.now())}
      </td>
    </tr>
  );
}

/** A score as a number and a bar; none is a dash, never zero. */
export function ScoreBar({ score, word }: { readonly score: number | null; readonly word: string }) {
  if (score === null) return <span>–</span>;
  return (
    <span class="score">
      <span class="number">{score}</span>
      <span class={`bar v-${word}`} aria-hidden="true">
        <span style={{ width: `${score}%` }} />
      </span>
    </span>
  );
}
