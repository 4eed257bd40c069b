import { expect, it } from 'vitest';
import { DEFAULT_FIELDS } from '../../src/events/wanted-fields.ts';
import { createRecordEnricher } from '../../src/stream/enrich-records.ts';
import { FakeEnricher } from '../support/fake-enricher.ts';

const CLEAN = '{"source":{"ip":"203.0.113.7"}}';
const MALICIOUS = '{"source":{"ip":"203.0.113.5"}}';
/** What is always said, and what only `full`, or an event with something to say, has. */
const LEAN = ['verdict', 'status', 'checked_at'];

async function added(detail: 'lean' | 'full'): Promise<string[][]> {
  const enrich = createRecordEnricher({ enricher: new FakeEnricher(), fields: DEFAULT_FIELDS, timeoutMs: 0, detail });
  const records = await enrich([Buffer.from(CLEAN), Buffer.from(MALICIOUS), undefined], new AbortController().signal);
  expect(records.map(({ fault }) => fault)).toEqual([null, null, null]);
  return records.flatMap(({ value }) => (value === undefined ? [] : [Object.keys(JSON.parse(value.toString()).ismalicious)]));
}

it('a record about which there is nothing to say gets three fields, unless all of them are wanted', async () => {
  const [clean, malicious] = await added('lean');
  expect(clean).toEqual(LEAN);
  expect(malicious).toEqual(expect.arrayContaining([...LEAN, 'score', 'indicator', 'field']));
  const [cleanInFull] = await added('full');
  expect(cleanInFull).toEqual(expect.arrayContaining([...LEAN, 'score', 'indicator', 'field']));
});
