import { beforeEach, expect, it, vi } from 'vitest';
import { search, searchWorld } from '../../../support/remembered-search.ts';
import { DESTINATION_ONLY, openTwo } from '../../../support/two-by-field.ts';

const BODY = 'source.ip,destination.ip\n12.0.0.1,\n12.0.0.2,12.0.0.3\n,12.0.0.1\n';
const ARGS = ['source.ip', 'destination.ip'];

searchWorld();
let asked: Readonly<Record<'ismalicious' | 'abuseipdb', string[]>>;
beforeEach(async () => {
  const { api, env } = await openTwo(DESTINATION_ONLY);
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  ({ asked } = api);
});

const verdicts = async (wishes: Parameters<typeof search>[1]) => {
  const { opened, tables } = await search(ARGS, wishes);
  const { header, rows } = tables.at(-1)!;
  return [opened, ...rows.map((row) => row[header.indexOf('im_verdict')])];
};

it('what an earlier search knew counts in the fields in which it was asked about', async () => {
  expect(await verdicts({ body: BODY })).toEqual([1, 'clean', 'malicious', 'malicious']);
  expect(await verdicts({ body: BODY })).toEqual([0, 'clean', 'malicious', 'malicious']);
  // The engine knows it, the file does not: it was never asked about in this field.
  expect(await verdicts({ body: 'source.ip,destination.ip\n12.0.0.3,\n,12.0.0.2\n' })).toEqual([1, 'clean', 'malicious']);
  expect(asked.abuseipdb.toSorted()).toEqual(['12.0.0.1', '12.0.0.2', '12.0.0.3']);
  expect(asked.ismalicious.toSorted()).toEqual(['12.0.0.1', '12.0.0.2', '12.0.0.3']);
});

it('and no longer when the fields are others', async () => {
  await verdicts({ body: BODY });
  vi.stubEnv('ABUSEIPDB_FIELDS', 'source.ip');
  expect(await verdicts({ body: BODY })).toEqual([1, 'malicious', 'malicious', 'clean']);
  vi.stubEnv('ABUSEIPDB_FIELDS', '');
  expect(await verdicts({ body: BODY })).toEqual([1, 'malicious', 'malicious', 'malicious']);
});
