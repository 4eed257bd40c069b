import { useState } from 'preact/hooks';
import type { EnrichmentJson } from '../../mapping/enrichment-json.ts';
import { callJson, callText, wordsFor } from '../page/call.ts';
import { keepAuthor, readAuthor } from '../page/session.ts';
import { Said } from '../page/said.tsx';
import type { SaidState } from '../page/said.tsx';

/** How long an override holds, in days; 0: until it is taken back. */
const DAYS: readonly (readonly [number, string])[] = [
  [1, '1 day'],
  [7, '7 days'],
  [30, '30 days'],
  [90, '90 days'],
  [0, 'until taken back'],
];
const DAY_S = 86_400;

interface Override {
  readonly indicator: string;
  readonly verdict: string;
  readonly author: string;
  readonly reason: string;
  readonly at: string | null;
  readonly until: string | null;
  readonly said_verdict: string | null;
  readonly ended_at: string | null;
}

interface OverruleProps {
  readonly value: string;
  readonly answer: EnrichmentJson;
  /** An override was given or taken back. */
  readonly onDone: () => void;
}

/** Says that the sources are wrong, for how long and why; and what was said before. */
export function Overrule({ value, answer, onDone }: OverruleProps) {
  const [said, setSaid] = useState<SaidState>(null);
  const [history, setHistory] = useState<readonly Override[] | string | null>(null);
  // What was said before comes beside the words about a click, and never in place of them.
  const show = () => overridesOf(value).then(setHistory, (error: unknown) => setHistory(wordsFor(error)));
  const run = async (work: () => Promise<string>) => {
    try {
      setSaid({ isFault: false, text: await work() });
    } catch (error) {
      setSaid({ isFault: true, text: wordsFor(error) });
    }
  };
  const change = (work: Promise<string>) =>
    run(async () => {
      const done = await work;
      onDone();
      void show();
      return done;
    });
  return (
    <details
      onToggle={({ currentTarget }) => {
        if (currentTarget.open && history === null) void show();
      }}
    >
      <summary>Overrule</summary>
      <form
        class="rows"
        onSubmit={(event) => {
          event.preventDefault();
          void change(give(value, new FormData(event.currentTarget)));
        }}
      >
        <Fields verdict={answer.verdict === 'malicious' ? 'clean' : 'malicious'} />
        <div class="line">
          <button type="submit" class="main">
            Overrule
          </button>
          <button type="button" onClick={() => void change(takeBack(value))}>
            Take back
          </button>
        </div>
      </form>
      <Said said={said} />
      {history !== null && <Before overrides={history} />}
    </details>
  );
}

/** What was said of the value before; a text: why that cannot be told. */
function Before({ overrides }: { readonly overrides: readonly Override[] | string }) {
  if (typeof overrides === 'string') return <p class="fault">What was said before cannot be shown: {overrides}</p>;
  if (overrides.length === 0) return <p class="dim">This value was not overruled so far.</p>;
  return (
    <ul>
      {overrides.map((one) => (
        <li key={one.at}>
          {one.at}: {one.author} said {one.verdict} (sources said {one.said_verdict ?? 'nothing'}): {one.reason}.{' '}
          {one.ended_at === null ? `Until ${one.until ?? 'taken back'}.` : `Ended ${one.ended_at}.`}
        </li>
      ))}
    </ul>
  );
}

async function give(indicator: string, form: FormData): Promise<string> {
  const [author, days] = [String(form.get('author')).trim(), Number(form.get('days'))];
  keepAuthor(author);
  const said = { indicator, verdict: form.get('verdict'), author, reason: String(form.get('reason')).trim() };
  await callJson('v1/feedback', { body: { ...said, ...(days > 0 ? { for_s: days * DAY_S } : {}) } });
  return 'The override is in force.';
}

async function takeBack(indicator: string): Promise<string> {
  await callText('v1/feedback', { method: 'DELETE', body: { indicator, author: readAuthor() || 'console' } });
  return 'The override is taken back.';
}

async function overridesOf(value: string): Promise<readonly Override[]> {
  const { overrides } = await callJson<{ overrides: Override[] }>('v1/feedback?all=true');
  return overrides.filter(({ indicator }) => indicator === value);
}

function Fields({ verdict }: { readonly verdict: string }) {
  return (
    <>
      <label class="field">
        It is
        <select name="verdict" defaultValue={verdict}>
          {['malicious', 'suspicious', 'clean'].map((word) => (
            <option key={word} selected={word === verdict}>
              {word}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        For
        <select name="days">
          {DAYS.map(([days, title]) => (
            <option key={days} value={days} selected={days === 30}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        Reason
        <input name="reason" required maxLength={500} placeholder="what you found out" />
      </label>
      <label class="field">
        Your name
        <input name="author" required maxLength={100} defaultValue={readAuthor()} />
      </label>
    </>
  );
}
