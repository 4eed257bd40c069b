// src/console/alerts/: decides alerts by the sidecar's rules.
import { errorMessage } from '../../model/formats/error-message.ts';
import { useState } from 'preact/hooks';
import { defangForReading } from '../../model/defang.ts';
import { ScoreBar } from '../look-up/answer-table.tsx';
import { callJson, wordsFor } from '../page/call.ts';
import { Said, type SaidState } from '../page/said.tsx';

interface Decision {
  readonly alert_id: string;
  readonly tier: string;
  readonly actions: readonly string[];
  readonly auto_resolve: boolean;
  readonly score: number | null;
  readonly verdict: string;
  readonly status: string;
  readonly indicator: string | null;
  readonly field: string | null;
  readonly reasons: readonly string[];
  readonly note: string;
}

/** Decides alerts by the sidecar's rules; nothing is closed or blocked by that. */
export function AlertsPage() {
  const [decisions, setDecisions] = useState<readonly Decision[]>([]);
  const [said, setSaid] = useState<SaidState>(null);
  const decide = async (form: FormData) => {
    setSaid(null);
    setDecisions([]);
    try {
      const body = alertsIn(String(form.get('alerts')));
      const tells = form.get('tell') === 'on';
      const { decisions: made } = await callJson<{ decisions: Decision[] }>(`v1/triage${tells ? '?tell=true' : ''}`, { body });
      setDecisions(made);
      setSaid({ isFault: false, text: tells ? 'Decided; the outputs are notified.' : 'Decided; nothing was sent anywhere.' });
    } catch (error) {
      setSaid({ isFault: true, text: wordsFor(error) });
    }
  };
  return (
    <>
      <form
        class="input"
        onSubmit={(event) => {
          event.preventDefault();
          void decide(new FormData(event.currentTarget));
        }}
      >
        <label for="alerts">Alerts as JSON: one, an array, or one a line</label>
        <textarea
          id="alerts"
          name="alerts"
          rows={8}
          spellcheck={false}
          required
          placeholder='{"id": "A-1", "source": {"ip": "198.51.100.7"}}'
        />
        <div class="line">
          <button type="submit" class="main">
            Decide
          </button>
          <label class="field check">
            <input type="checkbox" name="tell" />
            Tell the outputs and watch what is to be watched
          </label>
        </div>
      </form>
      <Said said={said} />
      <ul class="cards">
        {decisions.map((decision, n) => (
          <DecisionCard key={n} decision={decision} />
        ))}
      </ul>
    </>
  );
}

function DecisionCard({ decision }: { readonly decision: Decision }) {
  const { verdict, tier, actions, indicator, field } = decision;
  return (
    <li class="card">
      <h2>
        <span class={`v-${verdict}`}>{verdict}</span> · tier {tier}
        {decision.auto_resolve ? ' · safe to close automatically' : ''}
      </h2>
      <p>
        Alert {decision.alert_id}
        {indicator === null ? '' : `, decided by ${defangForReading(indicator)}${field === null ? '' : ` in ${field}`}`} ({decision.status})
      </p>
      <ScoreBar score={decision.score} word={verdict} />
      <p>{actions.length === 0 ? 'No action is asked for.' : `Asked for: ${actions.join(', ')}.`}</p>
      <ul>
        {decision.reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
      <p class="dim">{decision.note}</p>
    </li>
  );
}

/** JSON, or JSON a line as search engines export it. */
function alertsIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    if (lines.length < 2) throw new Error(`This is not valid JSON: ${errorMessage(error)}`, { cause: error });
    return lines.map((line, n) => {
      try {
        return JSON.parse(line) as unknown;
      } catch (cause) {
        throw new Error(`Line ${n + 1} is not valid JSON: ${errorMessage(cause)}`, { cause });
      }
    });
  }
}
