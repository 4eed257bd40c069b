import { describe, expect, it } from 'vitest';
import { runAlert, runAnswer, runBulk, runEvents, runFeed, runRows, runText, runValue } from './run-trial.ts';
import type { AlertTrial, AnswerTrial, BulkTrial, EventTrial, FeedTrial, RowTrial, TextTrial, Trial, ValueTrial } from './trial.ts';
import { trialsOf } from './trial.ts';

const texts = trialsOf<TextTrial>('texts.json');
const mails = trialsOf<TextTrial>('mails.json');
const values = trialsOf<ValueTrial>('values.json');
const events = trialsOf<EventTrial>('events.json');
const rows = trialsOf<RowTrial>('rows.json');
const feeds = trialsOf<FeedTrial>('feeds.json');
const bulks = trialsOf<BulkTrial>('bulks.json');
const answers = trialsOf<AnswerTrial>('answers.json');
const alerts = trialsOf<AlertTrial>('alerts.json');

/** Reports on the tools of the field, each reduced to a trial in words and values of our own. */
describe('what public reports tell of', () => {
  it('is more than five hundred reports, half of them on indicators, mails and feeds', () => {
    const of = (...kinds: (readonly { report: string }[])[]) => new Set(kinds.flat().map(({ report }) => report));
    const all = of(texts, mails, values, events, rows, feeds, bulks, answers, alerts);
    expect([...all].filter((report) => !/^[\w.-]+\/[\w.-]+#\d+$/.test(report))).toEqual([]);
    expect(all.size).toBeGreaterThanOrEqual(550);
    expect(of(texts, mails, feeds).size).toBeGreaterThanOrEqual(50);
    expect(of(values, events, rows, bulks).size).toBeGreaterThanOrEqual(25);
  });

  /** What is open has to be wrong still, so that its mark goes once it is right. */
  function expectRight({ open }: Trial, got: readonly string[]): void {
    if (open === undefined) expect(got).toEqual([]);
    else expect(got).not.toEqual([]);
  }

  it.each(texts)('text, $report: $trial', async (trial) => expectRight(trial, await runText(trial)));
  it.each(mails)('mail, $report: $trial', async (trial) => expectRight(trial, await runText(trial)));
  it.each(values)('value, $report: $trial', (trial) => expectRight(trial, runValue(trial)));
  it.each(events)('event, $report: $trial', async (trial) => expectRight(trial, await runEvents(trial)));
  it.each(rows)('row, $report: $trial', async (trial) => expectRight(trial, await runRows(trial)));
  it.each(feeds)('feed, $report: $trial', (trial) => expectRight(trial, runFeed(trial)));
  it.each(bulks)('bulk, $report: $trial', async (trial) => expectRight(trial, await runBulk(trial)));
  it.each(answers)('answer, $report: $trial', async (trial) => expectRight(trial, await runAnswer(trial)));
  it.each(alerts)('alert, $report: $trial', async (trial) => expectRight(trial, await runAlert(trial)));
});
