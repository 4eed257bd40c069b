/** A backfill as its own process, to be killed. Arguments: engine URL, index, state file, journal of paid look-ups, parallel. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { createUndiciTransport } from '../../../src/engine/calls/http/undici-transport.ts';
import { createEngineClient } from '../../../src/search-engine/engine-client.ts';
import { backfill } from '../../../src/search-engine/backfill/backfill.ts';
import { createStateFile } from '../../../src/search-engine/backfill/state-file.ts';
import { DEFAULT_FIELDS } from '../../../src/events/wanted-fields.ts';
import { FakeEnricher } from '../../support/fake-enricher.ts';

const [url = '', index = '', statePath = '', journal = '', parallel = '1'] = process.argv.slice(2);

// The journal stands for the verdict cache, which outlives a run: what was paid before is known.
const enricher = new FakeEnricher();
if (existsSync(journal)) await enricher.enrichMany(readFileSync(journal, 'utf8').split('\n').filter(Boolean));
enricher.paid.length = 0;

const transport = createUndiciTransport({ provider: 'test', connections: 4, proxy: null, ca: null });
const report = await backfill(
  {
    query: { index, fields: DEFAULT_FIELDS, timeField: '@timestamp', since: null, until: null, filter: null, withFailures: false },
    pageSize: 10,
    parallel: Number(parallel),
    budget: null,
    matchedType: 'indicator_match_rule',
  },
  {
    engine: createEngineClient(url, { kind: 'none' }, transport),
    enricher: {
      peek: (value) => enricher.peek(value),
      plan: (values) => enricher.plan(values),
      close: () => enricher.close(),
      async enrichMany(values, options) {
        await delay(30);
        const found = await enricher.enrichMany(values, options);
        for (const value of enricher.paid.splice(0)) appendFileSync(journal, `${value}\n`);
        return found;
      },
    },
    state: createStateFile(statePath),
    now: Date.now,
    wait: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}),
  },
);
await transport.close();
process.stdout.write(`${JSON.stringify(report)}\n`);
