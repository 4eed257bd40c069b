import { burnDown, latencyText, percentOf, type Report } from './week.ts';
import { creditsLeft, labelsOf, type Sample, sumOf } from './metrics-text.ts';
import type { Ready } from './poll.ts';

interface SourcesProps {
  readonly samples: readonly Sample[];
  /** The oldest reading of this page, for the credits spent since. */
  readonly before: readonly Sample[];
  readonly ready: Ready | null;
  readonly report: Report | null;
}

/** The sources that are asked: state, credits, calls, failures, and how long they took. */
export function Sources(props: SourcesProps) {
  const { samples, report } = props;
  const ids = labelsOf(samples, 'ismalicious_provider_calls_total', 'provider');
  if (ids.length === 0) return <p class="note">No source is asked over the network: only local lists answer. Set an API key to ask one.</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Sources">
      <table class="by-source">
        <caption>Sources</caption>
        <thead>
          <tr>
            {[...COLUMNS, ...(report === null ? [] : WEEK_COLUMNS)].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ids.map((provider) => (
            <SourceRow key={provider} provider={provider} {...props} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

const COLUMNS = ['Source', 'State', 'Credits left', 'Spent today', 'Calls', 'Answered', 'Without an answer', 'Success', 'Waiting'];
const WEEK_COLUMNS = ['Time, 50 / 95 % (week)', 'Success (week)', 'Credits last'];
function SourceRow({ provider, samples, before, ready, report }: SourcesProps & { readonly provider: string }) {
  const value = (name: string, of = samples) => sumOf(of, `ismalicious_provider_${name}`, { provider });
  const shown = (name: string) => (value(name) ?? 0).toLocaleString('en-US');
  const held = ready?.providers?.[provider];
  const isOpen = value('breaker_open') === 1;
  const state = held ? `${held.status} until ${held.until}` : isOpen ? 'failing: left alone for now' : 'asked';
  const failures = samples.filter(({ name, labels }) => name === 'ismalicious_provider_failures_total' && labels['provider'] === provider);
  const left = samples.filter(({ name, labels }) => name === 'ismalicious_provider_quota_remaining' && labels['provider'] === provider);
  const lasting = creditsLeft(samples, provider);
  const spent = (value('credits_spent_today') ?? 0) - (value('credits_spent_today', before) ?? 0);
  const answered = value('answers_total') ?? 0;
  const week = report?.sources.find(({ source }) => source === provider);
  const asked = answered + failures.reduce((sum, { value: count }) => sum + count, 0);
  return (
    <tr>
      <th scope="row">{provider}</th>
      <td class={held || isOpen ? 'v-suspicious' : 'v-clean'}>{state}</td>
      <td>
        {left.map(({ labels, value: remaining }) => `${remaining.toLocaleString('en-US')} a ${labels['window'] ?? 'plan'}`).join(', ') ||
          'not said'}
      </td>
      <td>
        {shown('credits_spent_today')}
        {spent > 0 ? ` (${spent} since this page is open)` : ''}
      </td>
      <td>{shown('calls_total')}</td>
      <td>{shown('answers_total')}</td>
      <td>{failures.map(({ labels, value: count }) => `${count} ${labels['status'] ?? ''}`).join(', ') || '0'}</td>
      <td>{asked === 0 ? '–' : `${Math.floor((answered / asked) * 100)} %`}</td>
      <td>{(value('queued') ?? 0) + (value('in_flight') ?? 0)}</td>
      {report !== null && <td>{week === undefined ? '–' : latencyText(week.latency_ms)}</td>}
      {report !== null && <td>{percentOf(week?.success_rate ?? null)}</td>}
      {report !== null && <td>{week === undefined ? '–' : burnDown(week, lasting)}</td>}
    </tr>
  );
}
