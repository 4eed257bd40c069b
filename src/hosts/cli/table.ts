import type { Enrichment } from '../../model/enrichment.ts';
import type { Io } from './command.ts';
import { paint, printable, whyOf } from './table-words.ts';
import { defangForReading } from '../../model/defang.ts';

/** A column, and what it does when the terminal is too narrow. */
interface Column {
  readonly title: string;
  readonly of: (enrichment: Enrichment) => string;
  /** `drop`: left out, the highest number first; `wrap`: goes on in the next line of its own cell. */
  readonly ifNarrow?: number | 'wrap';
}

const COLUMNS: readonly Column[] = [
  { title: 'VERDICT', of: ({ answer }) => answer.verdict },
  { title: 'SCORE', of: ({ answer }) => String(answer.score ?? '-') },
  { title: 'CONF', of: ({ answer }) => String(answer.confidence ?? '-'), ifNarrow: 2 },
  { title: 'TIER', of: ({ answer }) => answer.tier, ifNarrow: 1 },
  { title: 'STATUS', of: ({ answer }) => answer.status },
  { title: 'INDICATOR', of: ({ input, indicator }) => defangForReading(printable(indicator?.value ?? input)), ifNarrow: 'wrap' },
  { title: 'SOURCE', of: ({ source }) => source, ifNarrow: 3 },
  { title: 'WHY', of: ({ answer }) => printable(whyOf(answer)), ifNarrow: 'wrap' },
];

const GAP = 2;
const ASCII = /^[ -~]*$/;
/** A column that wraps is no narrower than this, as long as there is one left to drop. */
const LEAST_WRAPPED = 16;

/** How a terminal shows texts. */
interface Shown {
  readonly widthOf: (text: string) => number;
  readonly wrap: (text: string, width: number) => string[];
}

/** One column a character, in lines of any length. */
const PLAIN: Shown = { widthOf: (text) => text.length, wrap: (text) => [text] };

/** Rows for people, aligned by what a terminal shows: verdict, score, tier, status, indicator, why, source; no line longer than the terminal. */
export async function formatTable(
  enrichments: readonly Enrichment[],
  { hasColor, columns = Infinity }: Pick<Io, 'hasColor' | 'columns'>,
): Promise<string> {
  const cells = COLUMNS.map(({ title, of }) => [title, ...enrichments.map(of)]);
  const shown = await howShown(cells, columns);
  const layout = fit(
    cells.map((column) => widest(column, shown)),
    columns,
  );
  const rows = [null, ...enrichments].map((enrichment, row) => {
    const texts = layout.map(({ column, width }) => shown.wrap(cells[column]?.[row] ?? '', width));
    const lines = Array.from({ length: Math.max(...texts.map((text) => text.length)) }, (_, n) =>
      layout
        .map(({ width }, at) => pad(texts[at]?.[n] ?? '', width, shown))
        .join(' '.repeat(GAP))
        .trimEnd(),
    );
    return lines.map((line) => (enrichment ? paint(line, enrichment.answer.verdict, hasColor) : line)).join('\n');
  });
  return rows.join('\n');
}

/** What knows wide characters and wraps takes a while to load: only where there is something to wrap, or a character beyond ASCII. */
async function howShown(cells: readonly (readonly string[])[], columns: number): Promise<Shown> {
  const isAscii = cells.every((column) => column.every((text) => ASCII.test(text)));
  const total = sum(cells.map((column) => widest(column, PLAIN))) + GAP * (cells.length - 1);
  if (isAscii && total <= columns) return PLAIN;
  const [{ default: widthOf }, { default: wrapAnsi }] = await Promise.all([import('string-width'), import('wrap-ansi')]);
  return {
    widthOf,
    wrap: (text, width) => (widthOf(text) <= width ? [text] : wrapAnsi(text, width, { hard: true }).split('\n')),
  };
}

/** Which columns are shown, and how wide each of them is. */
function fit(natural: readonly number[], most: number): { column: number; width: number }[] {
  let shown = natural.map((width, column) => ({ column, width }));
  const isWrapped = ({ column }: { column: number }) => COLUMNS[column]?.ifNarrow === 'wrap';
  const least = () => sum(shown.map((one) => (isWrapped(one) ? Math.min(one.width, LEAST_WRAPPED) : one.width))) + GAP * (shown.length - 1);
  for (let drop = 3; drop > 0 && least() > most; drop--) shown = shown.filter(({ column }) => COLUMNS[column]?.ifNarrow !== drop);
  const fixed = shown.filter((one) => !isWrapped(one));
  let room = most - sum(fixed.map(({ width }) => width)) - GAP * (shown.length - 1);
  let open = shown.filter(isWrapped).toSorted((a, b) => a.width - b.width);
  const widths = new Map(fixed.map(({ column, width }) => [column, width]));
  // The narrower one takes what it needs, up to its share; what it leaves is the other's.
  for (; open.length > 0; open = open.slice(1)) {
    const [{ column, width } = { column: 0, width: 0 }] = open;
    const given = Math.max(1, Math.min(width, Math.floor(room / open.length)));
    widths.set(column, given);
    room -= given;
  }
  return shown.map(({ column }) => ({ column, width: widths.get(column) ?? 0 }));
}

function pad(text: string, width: number, { widthOf }: Shown): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

function widest(cells: readonly string[], { widthOf }: Shown): number {
  return cells.reduce((most, cell) => Math.max(most, widthOf(cell)), 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
