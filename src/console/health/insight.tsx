import type { ComponentChildren } from 'preact';
import { inertText } from '../../model/formats/inert-text.ts';
import { counted } from '../look-up/words.ts';
import { percentOf, type Report } from './week.ts';

/** A setting in force, as `/v1/settings` says it. */
export interface Setting {
  readonly key: string;
  readonly value: unknown;
  readonly from: string;
}

/** Says that answers are samples, where they are. */
export function SampleMode({ settings }: { readonly settings: readonly Setting[] }) {
  if (!settings.some(({ key, value }) => key === 'local.sample' && value === true)) return null;
  return (
    <p class="note sample">
      <strong>Sample mode:</strong> the built-in sample list answers too. It is off once a source has a key, or by{' '}
      <code>local.sample: false</code>.
    </p>
  );
}

/** Who spent most in the last seven days. */
export function Spenders({ report }: { readonly report: Report }) {
  const { callers } = report;
  if (callers.length === 0) return <p class="note">No value was sent to a source in the last seven days.</p>;
  return (
    <Table title="Who spent most (last seven days)" columns={['Program', 'User', 'Search', 'Credits', 'Values', 'Calls']}>
      {callers.map(({ program, user, search, credits, values, calls }, n) => (
        <tr key={n}>
          <th scope="row">{inertText(program)}</th>
          <td>{inertText(user ?? '–')}</td>
          <td>{inertText(search ?? '–')}</td>
          {[credits, values, calls].map((count, column) => (
            <td key={column}>{count.toLocaleString('en-US')}</td>
          ))}
        </tr>
      ))}
    </Table>
  );
}

/** The figures that have a target, for eight weeks. */
export function Weeks({ report }: { readonly report: Report }) {
  const { targets, on_target: met, feedback } = report;
  return (
    <>
      <Table
        title={`Weeks (targets: ${percentOf(targets.success_rate)} answered, 95 % within ${targets.latency_p95_ms / 1000} s)`}
        columns={['Week from', 'Answered', '95 % within', 'Alarms confirmed', 'Calls', 'Credits', 'Cost']}
      >
        {report.trend.toReversed().map((week, n) => (
          <tr key={week.from}>
            <th scope="row">{week.from}</th>
            <td class={n === 0 ? classOf(met.success_rate) : ''}>{percentOf(week.success_rate)}</td>
            <td class={n === 0 ? classOf(met.latency) : ''}>
              {week.latency_p95_ms === null ? '–' : `${week.latency_p95_ms.toLocaleString('en-US')} ms`}
            </td>
            <td>{percentOf(week.true_positive_rate)}</td>
            <td>{week.calls.toLocaleString('en-US')}</td>
            <td>{week.credits.toLocaleString('en-US')}</td>
            <td>{week.money === null ? '–' : week.money.toFixed(2)}</td>
          </tr>
        ))}
      </Table>
      <p class="note">
        This week: {counted(feedback.overrides, 'override')}. {targetText('Answered', met.success_rate)} {targetText('Time', met.latency)} A
        dash: nothing was measured.
      </p>
    </>
  );
}

function classOf(isMet: boolean | null): string {
  return isMet === null ? '' : isMet ? 'v-clean' : 'v-suspicious';
}

function targetText(what: string, isMet: boolean | null): string {
  return isMet === null ? '' : `${what}: target ${isMet ? 'met' : 'missed'}.`;
}

/** Every setting with the place that set it; those that somebody set first. */
export function Settings({ settings }: { readonly settings: readonly Setting[] }) {
  const isDefault = ({ from }: Setting) => from === 'default';
  const set = settings.filter((one) => !isDefault(one));
  return (
    <details class="in-force">
      <summary>
        Settings in force: {set.length} set, {settings.length - set.length} by default
      </summary>
      <Table title="As of the start of the sidecar; secrets are masked" columns={['Setting', 'Value', 'From']}>
        {[...set, ...settings.filter(isDefault)].map((one) => (
          <tr key={one.key}>
            <th scope="row">{one.key}</th>
            <td>
              <code>{shown(one.value)}</code>
            </td>
            <td class={isDefault(one) ? 'dim' : ''}>{inertText(one.from)}</td>
          </tr>
        ))}
      </Table>
    </details>
  );
}

const LONGEST_SHOWN = 300;

function shown(value: unknown): string {
  const text = inertText(typeof value === 'string' ? value : JSON.stringify(value));
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)} …` : text;
}

interface TableProps {
  readonly title: string;
  readonly columns: readonly string[];
  readonly children: ComponentChildren;
}

function Table({ title, columns, children }: TableProps) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={title}>
      <table>
        <caption>{title}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
