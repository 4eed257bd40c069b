import { describe, expect, it } from 'vitest';
import { inertLines, inertText } from '../../../src/model/formats/inert-text.ts';
import { LookupError } from '../../../src/model/lookup-error.ts';
import { words } from '../../../src/providers/reading/verdict-facts.ts';
import { guardFormula } from '../../../src/model/formats/formula-guard.ts';
import { formatTable } from '../../../src/hosts/cli/table.ts';
import { explain } from '../../../src/hosts/cli/table-words.ts';
import { SearchNotes } from '../../../src/rows/search-notes.ts';
import { factsOf, summaryOf } from '../../../src/outputs/forms/item-summary.ts';
import { toReportText } from '../../../src/pipeline/run-report.ts';
import type { Enrichment } from '../../../src/model/enrichment.ts';
import { itemOf } from '../../outputs/samples.ts';

const EVIL = 'a\u001b]0;pwned\u0007b\r\n2026-01-01 CRITICAL forged\u0000\u009b2J\u202ec\u2066d\u200ee\u2028f\u061cg\u007fh';
// oxlint-disable-next-line no-control-regex
const ACTIVE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

describe('text of others', () => {
  it('becomes one line of what can be seen', () => {
    expect(inertText(EVIL)).toBe('a ]0;pwned b 2026-01-01 CRITICAL forged 2J c d e f g h');
    expect(inertText('plain, ünï → 漢字 🙂')).toBe('plain, ünï → 漢字 🙂');
  });
  it('shows its escapes in a message of several lines, whose own line breaks stay', () => {
    expect(inertLines('one\n\u001b[2Jtwo\r')).toBe('one\n\\u001b[2Jtwo\\u000d');
  });
  it.each([
    ['a failure', () => new LookupError('bad_response', 'taxii', EVIL).message],
    ['a category', () => words([EVIL]).join()],
    ['a note of a search', () => JSON.stringify(said(EVIL))],
    ['a line of a message', () => summaryOf(itemOf('45.83.64.7', { note: EVIL, tags: [EVIL] }))],
    [
      'facts of a message',
      () =>
        factsOf(itemOf('45.83.64.7', { note: EVIL, tags: [EVIL], sources: [EVIL] }))
          .flat()
          .join(),
    ],
    ['a row of the table', async () => (await formatTable([enrichment], { hasColor: false, columns: Infinity })).split('\n')[1] ?? ''],
    ['an explanation', () => explain(enrichment, [EVIL]).split('\n').join('')],
  ])('in %s does nothing', async (_name, show) => {
    expect(await show()).not.toMatch(ACTIVE);
  });
  it('of a feed makes no line of its own in the report of a run', () => {
    const feed = { items: 0, accepted: 0, quarantined: 0, ignored: 0, pages: 0, new: 0, updated: 0, faults: [], failure: EVIL };
    const enriched = { due: 0, enriched: 0, skipped: 0, failed: 0, left: 0, byStatus: {}, live: 0 };
    const report = {
      startedAt: '',
      finishedAt: '',
      isDryRun: false,
      feeds: { x: feed },
      store: { new: 0, updated: 0 },
      enrichment: enriched,
    };
    const text = toReportText({ ...report, watches: { checked: 0, changed: 0, failed: 0 }, outputs: {}, failures: [`feed x: ${EVIL}`] });
    expect(text.split('\n').filter((line) => line.startsWith('2026'))).toEqual([]);
    expect(text.replaceAll('\n', '')).not.toMatch(ACTIVE);
  });
});

it.each([
  ["=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"],
  ['+1+1', "'+1+1"],
  ['-2+3', "'-2+3"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['\t=1', "'\t=1"],
  ['-12.5', '-12.5'],
  ['-', '-'],
  ['c2, botnet', 'c2, botnet'],
])('the cell %j is written %j', (text, written) => {
  expect(guardFormula(text)).toBe(written);
});

const answer = {
  verdict: 'malicious',
  status: 'ok',
  score: 90,
  confidence: 50,
  tier: 'p1',
  autoResolve: false,
  categories: [EVIL],
  attributes: [EVIL],
  message: EVIL,
  providers: [{ provider: 'local', status: 'timeout', score: null, contribution: 0, message: EVIL }],
};
const enrichment = { input: EVIL, indicator: null, answer, source: 'live', checkedAtS: 0, expiresAtS: 0 } as unknown as Enrichment;

function said(text: string): unknown {
  const notes = new SearchNotes();
  notes.say('WARN', text);
  return notes.take().inspector?.messages[0]?.[1];
}
