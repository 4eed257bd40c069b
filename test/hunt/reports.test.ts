import { describe, expect, it } from 'vitest';
import { runBulk, runEvents, runFeed, runRows, runText, runValue } from './run-trial.ts';
import type { BulkTrial, EventTrial, FeedTrial, RowTrial, TextTrial, ValueTrial } from './trial.ts';
import { trialsOf } from './trial.ts';

const texts = trialsOf<TextTrial>('texts.json');
const mails = trialsOf<TextTrial>('mails.json');
const values = trialsOf<ValueTrial>('values.json');
const events = trialsOf<EventTrial>('events.json');
const rows = trialsOf<RowTrial>('rows.json');
const feeds = trialsOf<FeedTrial>('feeds.json');
const bulks = trialsOf<BulkTrial>('bulks.json');

/** Reports on the tools of the field, each reduced to a trial in words and values of our own. */
describe('what public reports tell of', () => {
  it('is more than a hundred reports, half of them on indicators, mails and feeds', () => {
    const of = (...kinds: (readonly { report: string }[])[]) => new Set(kinds.flat().map(({ report }) => report));
    const all = of(texts, mails, values, events, rows, feeds, bulks);
    expect([...all].filter((report) => !/^[\w.-]+\/[\w.-]+#\d+$/.test(report))).toEqual([]);
    expect(all.size).toBeGreaterThanOrEqual(100);
    expect(of(texts, mails, feeds).size).toBeGreaterThanOrEqual(50);
    expect(of(values, events, rows, bulks).size).toBeGreaterThanOrEqual(25);
  });

  it.each(texts)('text, $report: $trial', async (trial) => expect(await runText(trial)).toEqual([]));
  it.each(mails)('mail, $report: $trial', async (trial) => expect(await runText(trial)).toEqual([]));
  it.each(values)('value, $report: $trial', (trial) => expect(runValue(trial)).toEqual([]));
  it.each(events)('event, $report: $trial', async (trial) => expect(await runEvents(trial)).toEqual([]));
  it.each(rows)('row, $report: $trial', async (trial) => expect(await runRows(trial)).toEqual([]));
  it.each(feeds)('feed, $report: $trial', (trial) => expect(runFeed(trial)).toEqual([]));
  it.each(bulks)('bulk, $report: $trial', async (trial) => expect(await runBulk(trial)).toEqual([]));
});
