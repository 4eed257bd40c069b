import { ALL_SHOWN, type Row, type Shown, type SortKey, type Word, WORDS } from './rank.ts';

/** On phones the table has no heads to click. */
const SORTS: readonly (readonly [SortKey, string])[] = [
  ['worst', 'worst first'],
  ['score', 'score'],
  ['confidence', 'confidence'],
  ['indicator', 'indicator'],
  ['status', 'status'],
  ['tier', 'tier'],
  ['age', 'checked'],
];

interface FiltersProps {
  readonly rows: readonly Row[];
  readonly counts: ReadonlyMap<Word, number>;
  readonly shown: Shown;
  readonly onChange: (shown: Shown) => void;
}

/** What of the answers is shown. */
export function Filters({ rows, counts, shown, onChange }: FiltersProps) {
  const types = [...new Set(rows.map(({ type }) => type ?? ''))].filter((type) => type !== '').toSorted();
  const statuses = [...new Set(rows.map(({ answer }) => answer?.status ?? ''))].filter((status) => status !== '').toSorted();
  const isFiltered = shown.word !== '' || shown.type !== '' || shown.status !== '' || shown.search !== '';
  return (
    <div class="filters" role="group" aria-label="Filter">
      <div class="words">
        {WORDS.filter((word) => counts.has(word)).map((word) => (
          <button
            key={word}
            type="button"
            class={`word v-${word}`}
            aria-pressed={shown.word === word}
            onClick={() => onChange({ ...shown, word: shown.word === word ? '' : word })}
          >
            {counts.get(word)?.toLocaleString('en-US')} {word}
          </button>
        ))}
      </div>
      <Choice label="Type" value={shown.type} values={types} onChoose={(type) => onChange({ ...shown, type })} />
      <Choice label="Status" value={shown.status} values={statuses} onChoose={(status) => onChange({ ...shown, status })} />
      <label class="field phone">
        Sort by
        <select
          value={shown.sort}
          onChange={({ currentTarget }) => onChange({ ...shown, sort: currentTarget.value as SortKey, isReversed: false })}
        >
          {SORTS.map(([key, title]) => (
            <option key={key} value={key}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        Search
        <input type="search" value={shown.search} onInput={({ currentTarget }) => onChange({ ...shown, search: currentTarget.value })} />
      </label>
      <label class="field check">
        <input
          type="checkbox"
          checked={shown.hosts}
          onChange={({ currentTarget }) => onChange({ ...shown, hosts: currentTarget.checked })}
        />
        Hosts of URLs too
      </label>
      {isFiltered && (
        <button
          type="button"
          onClick={() => onChange({ ...ALL_SHOWN, hosts: shown.hosts, sort: shown.sort, isReversed: shown.isReversed })}
        >
          Show all
        </button>
      )}
    </div>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly values: readonly string[];
  readonly onChoose: (value: string) => void;
}

function Choice({ label, value, values, onChoose }: ChoiceProps) {
  return (
    <label class="field">
      {label}
      <select value={value} onChange={({ currentTarget }) => onChoose(currentTarget.value)}>
        <option value="">all</option>
        {values.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </label>
  );
}
