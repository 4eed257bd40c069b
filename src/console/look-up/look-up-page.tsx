// src/console/look-up/: paste, see what matters, act on it.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ActPanel } from '../exports/act-panel.tsx';
import { AnswerTable } from './answer-table.tsx';
import { Detail } from './detail.tsx';
import { Filters } from './filters.tsx';
import { type Input, textInput } from './input.ts';
import { InputBox } from './input-box.tsx';
import { createJob, type JobState, NO_JOB } from './job.ts';
import { MarkedText } from './marked-text.tsx';
import { PriceBox, Progress } from './progress.tsx';
import { ALL_SHOWN, countWords, type Shown, shownRows, wordOf } from './rank.ts';

/** The text of a `#q=…` address; `null`: it has none. */
function linkedText(): string | null {
  const [, text] = /^#q=(.+)$/s.exec(location.hash) ?? [];
  if (text === undefined) return null;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    // A per cent sign that codes nothing: as it stands.
    return text;
  }
}

/** Paste, see, act. */
export function LookUpPage() {
  const [state, setState] = useState<JobState>(NO_JOB);
  const job = useRef(useMemo(() => createJob(setState), [])).current;
  const [shown, setShown] = useState<Shown>(ALL_SHOWN);
  const [chosen, setChosen] = useState<string | null>(null);
  const [linked, setLinked] = useState(linkedText);

  const begin = (inputs: readonly Input[]) => {
    setShown(ALL_SHOWN);
    setChosen(null);
    void job.begin(inputs);
  };
  useEffect(() => {
    const follow = () => {
      const text = linkedText();
      if (text !== null) setLinked(text);
    };
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  useEffect(() => {
    if (linked !== null) begin([textInput('link', linked)]);
  }, [linked]);

  const rows = useMemo(() => shownRows(state.rows, shown), [state.rows, shown]);
  const counts = useMemo(() => countWords(state.rows, shown.hosts), [state.rows, shown.hosts]);
  const isOver = state.phase === 'stopped' || state.phase === 'failed';
  const open = state.rows.filter(({ answer }) => wordOf(answer) === 'failed' || (isOver && answer === null)).map(({ value }) => value);
  const row = chosen === null ? undefined : state.rows.find(({ value }) => value === chosen);
  const close = () => {
    setChosen(null);
    document.querySelector<HTMLElement>(`[data-row="${CSS.escape(chosen ?? '')}"]`)?.focus();
  };
  return (
    <>
      <InputBox linked={linked} isBusy={state.phase === 'working'} onRead={begin} />
      <Progress state={state} counts={counts} onStop={job.stop} onAgain={open.length > 0 ? () => void job.askAgain(open) : null} />
      <PriceBox state={state} onPay={() => void job.pay()} onStop={job.stop} />
      {state.rows.length > 0 && (
        <section aria-label="Answers">
          <Filters rows={state.rows} counts={counts} shown={shown} onChange={setShown} />
          <AnswerTable rows={rows} shown={shown} onSort={setShown} chosen={chosen} onChoose={setChosen} />
          <ActPanel rows={rows} />
        </section>
      )}
      <MarkedText state={state} onChoose={setChosen} />
      {row && <Detail row={row} rows={state.rows} onClose={close} onAgain={() => void job.askAgain([row.value])} />}
    </>
  );
}
