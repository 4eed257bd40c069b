import type { JobState } from './job.ts';
import { type Word, WORDS } from './rank.ts';
import { counted } from './words.ts';

interface ProgressProps {
  readonly state: JobState;
  readonly counts: ReadonlyMap<Word, number>;
  readonly onStop: () => void;
  /** Asks again about what nobody answered; `null`: all was answered. */
  readonly onAgain: (() => void) | null;
}

/** How far the job is, in words and as a bar. */
export function Progress({ state, counts, onStop, onAgain }: ProgressProps) {
  const { phase, read, toRead, answered, rows, notes, fault } = state;
  if (phase === 'idle') return null;
  const share = toRead === 0 ? 0 : Math.min(1, read / toRead) * 0.5 + (rows.length === 0 ? 0 : (answered / rows.length) * 0.5);
  return (
    <section class="progress" aria-label="Progress">
      {phase === 'working' && (
        <div class="line">
          <progress aria-label="Looking up" max={1} value={share} />
          <span>
            {answered} of {counted(rows.length, 'value')} answered
          </span>
          <button type="button" onClick={onStop}>
            Stop
          </button>
        </div>
      )}
      <p role="status" class="summary">
        {summaryOf(state, counts)}
      </p>
      {rows.some(({ answer }) => answer?.attributes.includes('sample') === true) && (
        <p class="note">Answers marked “sample” come from the sample list that is shipped, not from a real source.</p>
      )}
      {notes.map((note) => (
        <p key={note} class="note">
          {note}
        </p>
      ))}
      {phase !== 'working' && onAgain && (
        <button type="button" onClick={onAgain}>
          Ask again about those without an answer
        </button>
      )}
      <p role="alert" class="fault">
        {fault ?? ''}
      </p>
    </section>
  );
}

function summaryOf({ phase, rows }: JobState, counts: ReadonlyMap<Word, number>): string {
  if (phase === 'working') return '';
  const said = WORDS.filter((word) => counts.has(word)).map((word) => `${counts.get(word)?.toLocaleString('en-US')} ${word}`);
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (rows.length === 0) return phase === 'failed' ? '' : 'No indicator found.';
  return `${phase === 'stopped' ? 'Stopped. ' : ''}${counted(all, 'value')}: ${said.join(', ')}.`;
}

interface PriceBoxProps {
  readonly state: JobState;
  readonly onPay: () => void;
  readonly onStop: () => void;
}

/** What the rest costs, before anybody is asked. */
export function PriceBox({ state: { phase, price }, onPay, onStop }: PriceBoxProps) {
  if (phase !== 'priced') return null;
  const credits = Object.entries(price.credits);
  const over = Object.values(price.overBudget).reduce((sum, count) => sum + count, 0);
  return (
    <section class="price" aria-label="Price">
      <p>
        Looking up {counted(price.values, 'value')} costs <strong>{counted(price.toPay, 'credit')}</strong>
        {price.seconds === null ? '' : `, in about ${counted(Math.max(1, Math.round(price.seconds)), 'second')}`}. Nothing was spent so far.
      </p>
      <ul>
        {credits.map(([provider, count]) => (
          <li key={provider}>
            {provider}: {counted(count, 'credit')}
            {leftOf(price.creditsLeft[provider])}
          </li>
        ))}
      </ul>
      {over > 0 && <p class="fault">{counted(over, 'look-up')} would go over the budget and stay without an answer.</p>}
      <div class="line">
        <button type="button" class="main" onClick={onPay}>
          Look up {counted(price.values, 'value')}
        </button>
        <button type="button" onClick={onStop}>
          Leave them
        </button>
      </div>
    </section>
  );
}

function leftOf(left: number | null | undefined): string {
  return left === null || left === undefined ? '' : ` (${left.toLocaleString('en-US')} left)`;
}
