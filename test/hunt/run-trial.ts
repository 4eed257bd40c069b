import { decodeBody } from '../../src/engine/calls/http/body.ts';
import { extractFromFile } from '../../src/extract/extract.ts';
import type { Feed } from '../../src/feeds/feed.ts';
import { FEEDS } from '../../src/feeds/registry.ts';
import { LookupError } from '../../src/model/lookup-error.ts';
import { readForLookup } from '../../src/model/read-for-lookup.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { loadProviders } from '../../src/providers/registry.ts';
import { answer, walk } from '../feeds/walk.ts';
import { startGateway, startSidecar } from '../hosts/sidecar/support/start-sidecar.ts';
import { readProviderFixture, settingsFor } from '../providers/provider-fixture.ts';
import { scriptedExchange } from '../providers/scripted-exchange.ts';
import { startUpstream } from '../hosts/sidecar/support/upstream-stand-in.ts';
import { createFakeEnricher } from '../support/fake-sidecar-enricher.ts';
import { frameOf, getinfoOf, replay } from '../support/splunk-streams.ts';
import type { AlertTrial, AnswerTrial, BulkTrial, EventTrial, FeedTrial, RowTrial, TextTrial, ValueTrial, Wanted } from './trial.ts';
import { bytesOf } from './trial.ts';

/** What the stand-in engine calls malicious; everything else that is public is clean. */
const BAD = [
  '45.155.205.9',
  '2a02:4780:1::9',
  'evil-host.net',
  'http://evil-host.net/a',
  'https://xn--fsqu00a.xn--rlr36zc6z/',
  'a'.repeat(64),
];
const engine = () => createFakeEnricher({ sayings: Object.fromEntries(BAD.map((value) => [value, { verdict: 'malicious' as const }])) });

/** Whether the indicators of a text, page or mail are found. As of all of these: what does not hold; empty: all does. */
export async function runText({ input, only, has = [], not = [] }: TextTrial): Promise<string[]> {
  const found = new Set((await extractFromFile(bytesOf(input))).map(({ type, value }) => `${type} ${value}`));
  const lost = [...(only ?? []), ...has].filter((find) => !found.has(find)).map((find) => `lost: ${find}`);
  const made = [...found].filter((find) => only?.includes(find) === false || not.some((start) => find.startsWith(start)));
  return [...lost, ...made.map((find) => `made up: ${find}`)];
}

/** Whether a value is read as what it is. */
export function runValue({ value, is }: ValueTrial): string[] {
  const read = readForLookup(value);
  const got =
    read.kind === 'parts'
      ? read.parts.map((part) => `${part.type} ${part.value}`)
      : 'indicator' in read
        ? `${read.indicator.type} ${read.indicator.value}${read.kind === 'private' ? ' (private)' : ''}`
        : read.kind;
  return JSON.stringify(got) === JSON.stringify(is) ? [] : [`read as ${JSON.stringify(got)}`];
}

/** Whether `/v1/enrich` answers as it should. */
export async function runEvents({ events, want, fields }: EventTrial): Promise<string[]> {
  const sidecar = await startSidecar(fields === undefined ? {} : { fields }, { enricher: engine() });
  const isText = typeof events === 'string';
  const body = isText ? events : JSON.stringify(events);
  const headers = { 'content-type': isText ? 'application/x-ndjson' : 'application/json' };
  const { status, text } = await sidecar.call('/v1/enrich', { method: 'POST', headers, body });
  if (status !== 200) return [`status ${status}: ${text}`];
  const got = isText
    ? text
        .split('\n')
        .filter((line) => line !== '')
        .map(parsed)
    : (parsed(text) as unknown[]);
  return want.flatMap((wanted, n) => misfits(got[n], wanted).map((misfit) => `event ${n}: ${misfit}`));
}

/** Whether the search command writes the cells that it should. */
export async function runRows({ args, rows, latin1, want }: RowTrial): Promise<string[]> {
  const body = Buffer.from(rows, latin1 === true ? 'latin1' : 'utf8');
  const { tables, status, complaints } = await replay(
    Buffer.concat([getinfoOf(args), frameOf({ action: 'execute', finished: true }, body)]),
    engine(),
  );
  const [table] = tables;
  if (status !== 0 || table === undefined) return [`status ${status}: ${complaints.join('; ')}`];
  return Object.entries(want).flatMap(([column, cells]) => {
    const place = table.header.indexOf(column);
    const got = table.rows.map((row) => row[place]);
    return JSON.stringify(got) === JSON.stringify(cells) ? [] : [`${column}: ${JSON.stringify(got)}`];
  });
}

/** Whether a feed gives its indicators, and keeps aside what is none. */
export function runFeed(trial: FeedTrial): string[] {
  const { feed: id, settings, cursor, answers, values, networks = [], rejected = 0, tags, revoked, until } = trial;
  const known = FEEDS.find((each) => each.id === id) as Feed;
  const listed: string[] = [];
  const feed: Feed = {
    ...known,
    read(...page) {
      const got = known.read(...page);
      listed.push(...got.networks.map(({ network }) => network));
      return got;
    },
  };
  let calls = 0;
  const got = walk(feed, { baseUrl: 'https://feed.corp-net.com', apiKey: 'k', ...settings }, cursor ?? null, (_, n) => {
    calls += 1;
    if (calls > 50) throw new Error('asks without end');
    const { body, headers = {}, status = 200 } = answers[n - 1] ?? { body: {} };
    return answer(typeof body === 'string' ? decodeBody(id, Buffer.from(body), undefined) : body, { headers, status });
  });
  const seen = {
    values: got.items.map(({ indicator }) => indicator.value),
    networks: listed,
    rejected: got.rejected.length,
    ...(tags !== undefined && { tags: got.items.map((item) => item.tags) }),
    ...(revoked !== undefined && { revoked: got.items.filter((item) => item.isRevoked).map(({ indicator }) => indicator.value) }),
    ...(until !== undefined && { until: got.items.map((item) => item.validUntil) }),
  };
  const wanted = {
    values,
    networks,
    rejected,
    ...(tags !== undefined && { tags }),
    ...(revoked !== undefined && { revoked }),
    ...(until !== undefined && { until }),
  };
  const reasons = got.rejected.map(({ reason, raw }) => `${reason} (${raw})`).join('; ');
  return JSON.stringify(seen) === JSON.stringify(wanted) ? [] : [`${JSON.stringify(seen)} ${reasons}`];
}

/** Whether what reaches the engine through the gateway is what should. */
export async function runBulk({ path = '/_bulk', headers, body, want }: BulkTrial): Promise<string[]> {
  const upstream = await startUpstream((_, res) => res.end('{}'));
  const gateway = await startGateway(upstream.url, { enricher: engine() });
  await gateway.call(path, { method: 'POST', headers: { 'content-type': 'application/x-ndjson', ...headers }, body });
  const got = upstream.seen.at(-1)?.body;
  if (got === undefined) return ['nothing reached the engine'];
  const before = body.split('\n');
  const after = got.split('\n');
  if (after.length !== before.length) return [`${after.length} lines instead of ${before.length}`];
  return after.flatMap((line, n) => {
    const wanted = want[n];
    if (wanted !== undefined) return misfits(parsed(line), wanted).map((misfit) => `line ${n}: ${misfit}`);
    return line === before[n] ? [] : [`line ${n} was changed: ${line}`];
  });
}

/** Whether a provider's answer is read as what it says. */
export async function runAnswer({ provider: id, indicator, status = 200, body, says }: AnswerTrial): Promise<string[]> {
  const provider = (await loadProviders()).find((each) => each.id === id) as Provider;
  const exchange = scriptedExchange(provider, settingsFor(provider, readProviderFixture(id)), [{ status, headers: {}, body }]);
  const got = await exchange.single(indicator, new AbortController().signal).then(
    (verdict) => verdict?.verdict ?? 'not listed',
    (error: unknown) => (error instanceof LookupError ? error.code : String(error)),
  );
  return [says].flat().includes(got) ? [] : [`read as ${got}`];
}

/** Whether an alert is decided about as it should. */
export async function runAlert({ alert, decision }: AlertTrial): Promise<string[]> {
  const sidecar = await startSidecar({}, { enricher: engine() });
  const { status, text, json } = await sidecar.call('/v1/triage', { method: 'POST', body: alert });
  return status === 200 ? misfits((json as { decisions: unknown[] }).decisions[0], decision) : [`status ${status}: ${text}`];
}

function misfits(json: unknown, wanted: Wanted): string[] {
  return Object.entries(wanted).flatMap(([path, value]) => {
    const got = memberAt(json, path);
    return JSON.stringify(got) === JSON.stringify(value) ? [] : [`${path}: ${JSON.stringify(got)}`];
  });
}

/** What stands at a dotted path; `null`: nothing. */
function memberAt(json: unknown, path: string): unknown {
  let here: unknown = json;
  for (const key of path.split('.')) here = (here as Record<string, unknown> | null | undefined)?.[key] ?? null;
  return here;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
