import { expect, it, onTestFinished } from 'vitest';
import { createWeekMetrics } from '../../src/compose/figures/week-metrics.ts';
import { sumFigures } from '../../src/compose/figures/sum-figures.ts';
import { openEngine, type OpenedEngine } from '../../src/compose/open-engine.ts';
import { FeedbackStoreError } from '../../src/engine/feedback/overrides.ts';
import { newStateFolder } from '../support/open-test-engine.ts';

const NOW_MS = Date.UTC(2026, 10, 25, 12);

/** An engine whose one source answered 90 of 100 look-ups three weeks ago, and none since. */
async function openWeeks(): Promise<OpenedEngine> {
  const env = {
    ISMALICIOUS_STATE_DIR: newStateFolder(),
    VIRUSTOTAL_API_KEY: 'k-test',
    VIRUSTOTAL_CREDIT_PRICE: '0.5',
    VIRUSTOTAL_BUDGET_PER_DAY: '400',
  };
  const opened = await openEngine({ env });
  onTestFinished(() => opened.engine.close());
  const counts = { calls: 100, lookups: 100, answered: 90, 'failed.timeout': 10, 'ms.20': 100 };
  const day = '2026-11-04';
  opened.engine.store.addFigures(
    day,
    new Map([...Object.entries(counts).map(([name, n]) => [`virustotal ${name}`, n] as const), ['* ms.30', 100]]),
  );
  opened.engine.store.spend('virustotal', day, 10, null);
  return opened;
}

it('/metrics has eight weeks against their targets; what was not measured has no series', async () => {
  const opened = await openWeeks();
  const text = createWeekMetrics(opened, () => NOW_MS)();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(lines).toEqual(
    expect.arrayContaining([
      'ismalicious_target_latency_p95_seconds 30',
      'ismalicious_target_success_ratio 0.99',
      'ismalicious_week_success_ratio{weeks_ago="3"} 0.9',
      'ismalicious_week_latency_p95_seconds{weeks_ago="3"} 0.808',
      'ismalicious_week_calls{weeks_ago="3"} 100',
      'ismalicious_week_credits{weeks_ago="3"} 10',
      'ismalicious_week_cost{weeks_ago="3"} 5',
      'ismalicious_provider_budget{provider="virustotal",period="day"} 400',
      'ismalicious_provider_credits_spent_this_month{provider="virustotal"} 0',
    ]),
  );
  const of = (name: string) => lines.filter((line) => line.startsWith(`ismalicious_week_${name}`));
  expect([of('success_ratio').length, of('latency_p95_seconds').length, of('true_positive_ratio').length]).toEqual([1, 1, 0]);
  expect([of('calls').length, of('source_success_ratio').length, of('source_latency').length]).toEqual([8, 0, 0]);
});

it('of several processes that read the same files, the figures of weeks and the targets stay as they are', async () => {
  const opened = await openWeeks();
  const text = createWeekMetrics(opened, () => NOW_MS)();
  expect(
    sumFigures([
      { place: 1, text },
      { place: 2, text },
    ]),
  ).toBe(text);
});

it('they are read anew after a minute; while overrides cannot be read, what was there before is given', async () => {
  const opened = await openWeeks();
  let nowMs = NOW_MS;
  let reads = 0;
  let isBusy = false;
  const feedback = {
    ...opened.feedback,
    list: () => {
      reads++;
      if (isBusy) throw new FeedbackStoreError('busy', { isBusy: true });
      return [];
    },
  };
  const weeks = createWeekMetrics({ ...opened, feedback }, () => nowMs);
  const first = weeks();
  nowMs += 59_999;
  expect([weeks(), reads]).toEqual([first, 1]);
  nowMs += 1;
  isBusy = true;
  expect([weeks(), reads]).toEqual([first, 2]);
  isBusy = false;
  weeks();
  expect(reads).toBe(3);
});
