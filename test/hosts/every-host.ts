import type { Engine } from '../../src/engine/engine.ts';
import type { Enricher } from '../../src/engine/enricher.ts';
import { triageAlerts } from '../../src/pipeline/triage/triage.ts';
import { TriageSettings } from '../../src/pipeline/triage/triage-settings.ts';
import { systemPipelineClock } from '../../src/pipeline/pipeline-clock.ts';
import { readCsv } from '../support/csv-oracle.ts';
import { frameOf, getinfoOf, readFrames, replay } from '../support/splunk-streams.ts';
import { runCli } from './cli/run-cli.ts';
import { startUpstream } from './sidecar/support/upstream-stand-in.ts';
import { startGateway } from './sidecar/support/start-sidecar.ts';

/** What an event is answered, as every host has to say it. */
export type Said = readonly [verdict: string, score: number | null, status: string, tier: string, autoResolve: boolean];
type Event = Readonly<Record<string, unknown>>;

/** Values of one event, by field. */
export type Values = ReadonlyMap<string, readonly string[]>;

/** The fields of the events. */
export const FIELDS = ['source.ip', 'destination.ip', 'destination.domain', 'url.full', 'file.hash.sha256'] as const;
const NOTHING: Said = ['unknown', null, 'skipped_empty', 'log', false];

/** The same values as an ECS event, in one of the spellings that Elasticsearch takes. */
export function toEvent(values: Values, n: number): Event {
  const event: Record<string, unknown> = { '@timestamp': '2026-01-01T00:00:00Z', n };
  for (const [field, texts] of values) {
    const value = texts.length === 1 ? texts[0] : n % 7 === 0 ? [texts] : texts;
    const [top = '', ...rest] = field.split('.');
    if (n % 3 === 0) event[field] = value;
    else if (n % 3 === 1 || texts.length < 2) {
      const nested = rest.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as object;
      event[top] = merged(event[top], nested);
    } else
      event[top] = [event[top] ?? [], ...texts.map((text) => rest.reduceRight<unknown>((inner, name) => ({ [name]: inner }), text))].flat();
  }
  return event;
}

function merged(there: unknown, added: object): unknown {
  if (Array.isArray(there)) return [...(there as unknown[]), added];
  return { ...(there as object | undefined), ...added };
}

function saidIn(rollUp: Record<string, unknown> | undefined): Said {
  if (rollUp === undefined) return NOTHING;
  const { verdict, score = null, status, tier, auto_resolve } = rollUp;
  return [verdict, score, status, tier, auto_resolve] as Said;
}

export const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
const multivalue = (texts: readonly string[]) =>
  texts.length < 2 ? '' : texts.map((text) => `$${text.replaceAll('$', '$$$$')}$`).join(';');

/** A table with a column for each field and, as Splunk sends it, another one for the values of a multivalue. */
function tableOf(events: readonly Values[]): string {
  const header = [...FIELDS, ...FIELDS.map((field) => `__mv_${field}`)];
  const rows = events.map((event) => [
    ...FIELDS.map((field) => (event.get(field) ?? []).join('\n')),
    ...FIELDS.map((field) => multivalue(event.get(field) ?? [])),
  ]);
  return [header, ...rows].map((row) => `${row.map(quoted).join(',')}\n`).join('');
}

export function saidInTable(text: string): Said[] {
  const [header = [], ...rows] = readCsv(text).rows === undefined ? [] : [readCsv(text).header, ...readCsv(text).rows];
  const at = (name: string) => header.indexOf(name);
  const [verdict, score, status, tier, resolve] = ['im_verdict', 'im_score', 'im_status', 'im_tier', 'im_auto_resolve'].map(at);
  return rows.map((row) => [
    row[verdict!]!,
    row[score!] === '' ? null : Number(row[score!]),
    row[status!]!,
    row[tier!]!,
    row[resolve!] === 'True',
  ]);
}

/** What every host says of the events, in their order; `leanly`: what `/v1/enrich` says with the least detail. `env`: for hosts that open the engine themselves. */
export async function askEveryHost(
  engine: Engine,
  env: Record<string, string>,
  values: readonly Values[],
): Promise<{ readonly said: ReadonlyMap<string, readonly Said[]>; readonly leanly: readonly Said[] }> {
  const events = values.map(toEvent);
  const ndjson = events.map((event) => `${JSON.stringify(event)}\n`).join('');
  const upstream = await startUpstream();
  const settings = { maxEvents: 10_000, maxIndicators: 10_000 };
  const { call } = await startGateway(upstream.url, { enricher: engine, settings, detail: 'full' });
  const said = new Map<string, readonly Said[]>();

  const enrich = await call('/v1/enrich', { body: ndjson, headers: { 'content-type': 'application/x-ndjson' } });
  const fromLines = (text: string) =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => saidIn((JSON.parse(line) as { ismalicious?: Record<string, unknown> }).ismalicious));
  said.set('/v1/enrich', fromLines(enrich.text));
  const lean = await startGateway(upstream.url, { enricher: engine, settings });
  const leanly = fromLines((await lean.call('/v1/enrich', { body: ndjson, headers: { 'content-type': 'application/x-ndjson' } })).text);

  await call('/_bulk', {
    body: events.map((event) => `{"create":{}}\n${JSON.stringify(event)}\n`).join(''),
    headers: { 'content-type': 'application/x-ndjson' },
  });
  const bulk = upstream.seen
    .at(-1)!
    .body.split('\n')
    .filter((_, n) => n % 2 === 1);
  said.set('gateway', fromLines(bulk.join('\n')));

  const logstash: Said[] = [];
  for (let from = 0; from < events.length; from += 100) {
    const answers = await Promise.all(events.slice(from, from + 100).map((body) => call('/v1/logstash', { body })));
    logstash.push(...answers.map(({ json }) => saidIn(json as Record<string, unknown>)));
  }
  said.set('/v1/logstash', logstash);

  const rules = TriageSettings.parse({});
  const decisions = await triageAlerts(events, {
    enricher: engine,
    rules,
    clock: systemPipelineClock,
    store: null,
    outputs: [],
    maxPending: 0,
  });
  said.set(
    'triage',
    decisions.map((decision) => saidIn({ ...decision })),
  );

  const table = tableOf(values);
  const search = await replay(
    Buffer.concat([getinfoOf([...FIELDS]), frameOf({ action: 'execute', finished: true }, table)]),
    keptOpen(engine),
  );
  said.set('SPL', saidInTable(readFrames(search.output).at(-1)!.body));

  const asked = { ISMALICIOUS_ECS_DETAIL: 'full', ...env };
  said.set('CLI, events', fromLines((await runCli(['enrich', '--format', 'ndjson', '-'], { stdin: ndjson, env: asked })).stdout));
  const rows = await runCli(['enrich', '--format', 'csv', '--field', FIELDS.join(','), '-'], { stdin: table, env: asked });
  said.set('CLI, rows', saidInTable(rows.stdout));

  return { said, leanly };
}

/** The engine for a search, which would close it at its end. */
export function keptOpen(engine: Engine): Enricher {
  return {
    routeOf: engine.routeOf,
    peek: (value) => engine.peek(value),
    enrichMany: (values, options) => engine.enrichMany(values, options),
    plan: (values, options) => engine.plan(values, options),
    generation: () => engine.generation(),
    explain: (enrichment) => engine.explain(enrichment),
    close: () => Promise.resolve(),
  };
}

/** Where a host says another thing than the search command; a line each. */
export function differencesIn(said: ReadonlyMap<string, readonly Said[]>, values: readonly Values[]): string[] {
  const expected = said.get('SPL') ?? [];
  return [...said].flatMap(([host, all]) =>
    values.flatMap((event, n) => {
      const [one, other] = [JSON.stringify(all[n]), JSON.stringify(expected[n])];
      return one === other ? [] : [`${host}: ${one} not ${other} of ${JSON.stringify(toEvent(event, n)).slice(0, 300)}`];
    }),
  );
}
