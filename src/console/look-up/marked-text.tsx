import { useMemo, useState } from 'preact/hooks';
import type { Input } from './input.ts';
import type { JobState } from './job.ts';
import { type Row, wordOf } from './rank.ts';
import type { Find } from './read-text.ts';
import { counted, shownValue } from './words.ts';

/** Characters of a text that are shown at once, and finds: a page of megabytes holds everybody up. */
const SHOWN_CHARACTERS = 16_384;
const SHOWN_FINDS = 250;

interface MarkedTextProps {
  readonly state: JobState;
  readonly onChoose: (value: string) => void;
}

/** What was read, with the indicators marked where they stand. */
export function MarkedText({ state, onChoose }: MarkedTextProps) {
  const [at, setAt] = useState(0);
  const rows = useMemo(() => new Map(state.rows.map((row) => [row.value, row])), [state.rows]);
  const chosen = state.inputs[Math.min(at, state.inputs.length - 1)];
  if (chosen === undefined || state.rows.length === 0) return null;
  const finds = state.finds[state.inputs.indexOf(chosen)] ?? [];
  return (
    <section class="read" aria-label="What was read">
      <h2>In the text</h2>
      {state.inputs.length > 1 && (
        <label class="field">
          File
          <select value={at} onChange={({ currentTarget }) => setAt(Number(currentTarget.value))}>
            {state.inputs.map(({ name }, n) => (
              <option key={n} value={n}>
                {name} ({state.finds[n]?.length ?? 0})
              </option>
            ))}
          </select>
        </label>
      )}
      {chosen.text === null ? (
        <PlacesInFile finds={finds} rows={rows} onChoose={onChoose} />
      ) : (
        <TextLeaf key={at} input={chosen} text={chosen.text} finds={finds} rows={rows} onChoose={onChoose} />
      )}
    </section>
  );
}

interface PlacesProps {
  readonly finds: readonly Find[];
  readonly rows: ReadonlyMap<string, Row>;
  readonly onChoose: (value: string) => void;
}

/** Of a mail, document or archive: in which part each find stands. */
function PlacesInFile({ finds, rows, onChoose }: PlacesProps) {
  const parts = [...new Set(finds.map(({ part = '' }) => part))];
  return (
    <dl class="facts parts">
      {parts.slice(0, SHOWN_FINDS).map((part) => (
        <div key={part}>
          <dt>{part === '' ? 'text' : part}</dt>
          <dd>
            {finds
              .filter((find) => (find.part ?? '') === part)
              .slice(0, SHOWN_FINDS)
              .map((find, n) => (
                <Mark key={n} find={find} row={rows.get(find.value)} shown={shownValue(find)} onChoose={onChoose} />
              ))}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** A stretch of a text; there are buttons for the ones before and behind. */
function TextLeaf({ text, finds, rows, onChoose }: PlacesProps & { readonly input: Input; readonly text: string }) {
  const [leaf, setLeaf] = useState(0);
  const leaves = Math.max(1, Math.ceil(text.length / SHOWN_CHARACTERS));
  const from = lineStart(text, leaf * SHOWN_CHARACTERS);
  const to = leaf + 1 >= leaves ? text.length : lineStart(text, (leaf + 1) * SHOWN_CHARACTERS);
  const pieces = useMemo(() => piecesOf(text, finds, { from, to }), [text, finds, from, to]);
  return (
    <>
      <pre class="text" tabIndex={0} aria-label="Text with its indicators">
        {pieces.map((piece, n) =>
          typeof piece === 'string' ? (
            piece
          ) : (
            <Mark key={n} find={piece} row={rows.get(piece.value)} shown={piece.original} onChoose={onChoose} />
          ),
        )}
      </pre>
      {leaves > 1 && (
        <div class="line leaves">
          <button type="button" disabled={leaf === 0} onClick={() => setLeaf(leaf - 1)}>
            Previous part
          </button>
          <span>
            Part {leaf + 1} of {counted(leaves, 'part')}
          </span>
          <button type="button" disabled={leaf + 1 >= leaves} onClick={() => setLeaf(leaf + 1)}>
            Next part
          </button>
        </div>
      )}
    </>
  );
}

interface MarkProps {
  readonly find: Find;
  readonly row: Row | undefined;
  readonly shown: string;
  readonly onChoose: (value: string) => void;
}

function Mark({ find, row, shown, onChoose }: MarkProps) {
  const word = wordOf(row?.answer ?? null);
  return (
    <button type="button" class={`found v-${word}`} title={`${word}: ${shownValue(find)}`} onClick={() => onChoose(find.value)}>
      {shown}
    </button>
  );
}

/** The last line start at or before a place, not more than a leaf away. */
function lineStart(text: string, at: number): number {
  if (at <= 0) return 0;
  const start = text.lastIndexOf('\n', at - 1) + 1;
  return at - start < SHOWN_CHARACTERS / 2 ? start : at;
}

/** Text and finds by turns; a find inside of another one is part of that. */
function piecesOf(text: string, finds: readonly Find[], { from, to }: { from: number; to: number }): (string | Find)[] {
  const pieces: (string | Find)[] = [];
  let at = from;
  for (const find of finds) {
    const end = find.offset + find.original.length;
    if (find.offset < at || end > to || pieces.length > SHOWN_FINDS * 2) continue;
    if (find.offset > at) pieces.push(text.slice(at, find.offset));
    pieces.push(find);
    at = end;
  }
  if (at < to) pieces.push(text.slice(at, to));
  return pieces;
}
