import { describe, expect, it } from 'vitest';
import { createReplayer } from '../../src/batch/replay-lines.ts';
import { systemClock } from '../../src/engine/clock.ts';
import { questionOf } from '../../src/model/question.ts';
import { createRecordEnricher } from '../../src/stream/enrich-records.ts';
import { DEFAULT_FIELDS } from '../../src/events/wanted-fields.ts';
import { readCsv } from '../support/csv-oracle.ts';
import { frameOf, getinfoOf, readFrames, replay } from '../support/splunk-streams.ts';
import { DESTINATION_ONLY, eventOf, matchedIn, openTwo, type Written } from '../support/two-by-field.ts';
import { askEveryHost, differencesIn, FIELDS, keptOpen, saidInTable, type Values } from './every-host.ts';
import { startSidecar } from './sidecar/support/start-sidecar.ts';

const NDJSON = { 'content-type': 'application/x-ndjson' };

describe('providers.<id>.fields', () => {
  it('an address in two fields is asked of each provider once, and each field says what was asked for its sake', async () => {
    const { api, engine } = await openTwo(DESTINATION_ONLY);
    const { call } = await startSidecar({}, { enricher: engine, detail: 'full' });
    const both = eventOf('12.0.0.1', '12.0.0.1');
    const alone = eventOf('12.0.0.1');
    const enrich = async (body: unknown) => (await call('/v1/enrich', { body })).json as Written;
    for (const _ of ['asked', 'from memory']) {
      const written = await enrich(both);
      expect([written.ismalicious.verdict, matchedIn(written)]).toEqual(['malicious', ['destination.ip']]);
      expect([(await enrich(alone)).ismalicious.verdict]).toEqual(['clean']);
      expect([api.asked.ismalicious, api.asked.abuseipdb]).toEqual([['12.0.0.1'], ['12.0.0.1']]);
    }
    // Spelled in another way, in another field of the same route, and for the first time where nobody is left out.
    expect((await enrich(eventOf('12[.]0[.]0[.]1'))).ismalicious.verdict).toBe('clean');
    expect((await enrich({ client: { ip: '12.0.0.2' } })).ismalicious.verdict).toBe('clean');
    expect((await enrich(eventOf('12.0.0.2'))).ismalicious.verdict).toBe('clean');
    expect((await enrich(eventOf('11.0.0.9', '12.0.0.2'))).ismalicious.verdict).toBe('malicious');
    expect([api.asked.ismalicious.toSorted(), api.asked.abuseipdb]).toEqual([
      ['11.0.0.9', '12.0.0.1', '12.0.0.2'],
      ['12.0.0.1', '12.0.0.2'],
    ]);
  });

  it('nothing that comes without a field is routed, nor what is asked of one provider by name', async () => {
    const { engine } = await openTwo(DESTINATION_ONLY);
    const { call } = await startSidecar({}, { enricher: engine, detail: 'full' });
    const lookup = (body: object) => call('/v1/lookup', { body });
    expect((await lookup({ indicators: ['12.0.0.1'] })).text).toContain('"malicious"');
    const search = async (args: string[]) => {
      const table = 'source.ip,destination.ip\n12.0.0.1,\n,12.0.0.1\n';
      const { output } = await replay(
        Buffer.concat([getinfoOf(args), frameOf({ action: 'execute', finished: true }, table)]),
        keptOpen(engine),
      );
      return saidInTable(readFrames(output).at(-1)!.body).map(([verdict, , status]) => `${verdict} ${status}`);
    };
    expect(await search(['source.ip', 'destination.ip'])).toEqual(['clean ok', 'malicious ok']);
    expect(await search(['source.ip', 'destination.ip', 'providers=ismalicious'])).toEqual(['clean ok', 'clean ok']);
    // Nobody is left to ask: like an address of a type that no provider is asked about.
    expect(await search(['source.ip', 'destination.ip', 'providers=abuseipdb'])).toEqual(['unknown ok', 'malicious ok']);
  });

  it('a row with the same address in two columns tells each column what was asked for its sake', async () => {
    const { engine } = await openTwo(DESTINATION_ONLY);
    const table = 'source.ip,destination.ip\n12.0.0.1,12.0.0.1\n"12.0.0.1","=""12.0.0.1"""\n';
    const args = ['source.ip', 'destination.ip', 'details=t'];
    const { output } = await replay(Buffer.concat([getinfoOf(args), frameOf({ action: 'execute', finished: true }, table)]), engine);
    const { header, rows } = readCsv(readFrames(output).at(-1)!.body);
    const names = ['im_verdict', 'im_field', 'im_source.ip_verdict', 'im_destination.ip_verdict'];
    const said = ['malicious', 'destination.ip', 'clean', 'malicious'];
    expect(rows.map((row) => names.map((name) => row[header.indexOf(name)]))).toEqual([said, said]);
  });

  it('a plan counts what each provider would be asked, once', async () => {
    const { api, engine } = await openTwo(DESTINATION_ONLY);
    const table = 'source.ip,destination.ip\n12.0.0.1,12.0.0.1\n12.0.0.2,12.0.0.3\n10.0.0.1,\n';
    const plan = await replay(
      Buffer.concat([getinfoOf(['source.ip', 'destination.ip', 'mode=plan']), frameOf({ action: 'execute', finished: true }, table)]),
      engine,
    );
    const { metadata, body } = readFrames(plan.output).at(-1)!;
    expect(JSON.stringify(metadata)).toMatch(/4 unique indicators.*1 never sent.*ismalicious 3.*abuseipdb 2/s);
    expect(body).not.toContain('\0');
    expect([api.asked.ismalicious, api.asked.abuseipdb]).toEqual([[], []]);
  });

  it('a plan does not count as refused what may leave for the sake of another field', async () => {
    // AbuseIPDB is not cleared for AMBER, and it alone is left for sources.
    const { engine } = await openTwo({ ISMALICIOUS_FIELDS: 'destination.*', ISMALICIOUS_PRIVACY_TLP: 'AMBER' });
    const [source, destination] = ['source.ip', 'destination.ip'].map((field) => engine.routeOf!(field));
    const plan = await engine.plan([
      questionOf(source!, '12.0.0.1'),
      questionOf(destination!, '12.0.0.1'),
      questionOf(source!, '12.0.0.2'),
    ]);
    expect(plan).toMatchObject({ values: 3, unique: 2, refused: 1, byProvider: { ismalicious: 1 } });
  });

  it('streams and replayed lines ask as events do', async () => {
    const { engine } = await openTwo(DESTINATION_ONLY);
    const records = createRecordEnricher({ enricher: engine, fields: DEFAULT_FIELDS, timeoutMs: 0, detail: 'full' });
    const texts = [eventOf('12.0.0.1', '12.0.0.1'), eventOf('12.0.0.2')].map((event) => JSON.stringify(event));
    const streamed = await records(
      texts.map((text) => Buffer.from(text)),
      new AbortController().signal,
    );
    const { enriched } = await createReplayer(engine, systemClock, 'full').replay(texts);
    for (const lines of [streamed.map(({ value }) => String(value)), enriched]) {
      const written = lines.map((line) => JSON.parse(line) as Written);
      expect(written.map((one) => [one.ismalicious.verdict, matchedIn(one)])).toEqual([
        ['malicious', ['destination.ip']],
        ['clean', []],
      ]);
    }
  });

  it('a value that spells a question is no indicator', async () => {
    const { api, engine } = await openTwo(DESTINATION_ONLY);
    const { call } = await startSidecar({}, { enricher: engine, detail: 'full' });
    const forged = '\0abuseipdb\x0012.0.0.1';
    const body = [eventOf(forged), eventOf('10.0.0.1', forged)].map((event) => `${JSON.stringify(event)}\n`).join('');
    const lines = (await call('/v1/enrich', { body, headers: NDJSON })).text.trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { ismalicious: { status: string } }).ismalicious.status)).toEqual([
      'invalid',
      'invalid',
    ]);
    const table = `source.ip,destination.ip\n${forged},\n,${forged}\n`;
    const said = await replay(
      Buffer.concat([getinfoOf(['source.ip', 'destination.ip']), frameOf({ action: 'execute', finished: true }, table)]),
      engine,
    );
    expect(saidInTable(readFrames(said.output).at(-1)!.body).map(([, , status]) => status)).toEqual(['invalid', 'invalid']);
    expect([api.asked.ismalicious, api.asked.abuseipdb]).toEqual([[], []]);
  });

  it('every host says the same of 300 events, asked anew and from the cache', async () => {
    const { api, env, engine } = await openTwo(DESTINATION_ONLY);
    const addresses = Array.from({ length: 30 }, (_, n) => `12.0.1.${n + 1}`);
    const values: Values[] = Array.from({ length: 300 }, (_, n) => {
      const at = (k: number) => [addresses[(n * k) % 30] ?? '', ...(n % 5 === 0 ? [addresses[(n * k + 7) % 30] ?? ''] : [])];
      return new Map([
        ...(n % 3 === 0 ? [] : [[FIELDS[0], at(7)] as const]),
        ...(n % 4 === 0 ? [] : [[FIELDS[1], at(n % 2 === 0 ? 7 : 11)] as const]),
      ]);
    });
    const isAccused = (event: Values) => event.has('destination.ip');
    for (const _ of ['asked anew', 'from the cache']) {
      const { said } = await askEveryHost(engine, env, values);
      expect(differencesIn(said, values)).toEqual([]);
      expect(said.get('SPL')!.map(([verdict]) => verdict === 'malicious')).toEqual(values.map(isAccused));
    }
    // The command line program shares the folder: nobody pays twice.
    expect(api.asked.abuseipdb.toSorted()).toEqual([...new Set(api.asked.abuseipdb)].toSorted());
    expect(api.asked.ismalicious.toSorted()).toEqual([...new Set(api.asked.ismalicious)].toSorted());
  }, 120_000);
});
