import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { EVENT_FIELDS, valuesAt } from './gateway-inputs.ts';
import type { ApiVerdict } from './gateway-inputs.ts';

// gateway-peer.ts sink: an engine that only reads. gateway-peer.ts gateway UPSTREAM VERDICTS: the gateway as one writes it in an afternoon.
// Each prints `listening PORT`.

type Event = Record<string, unknown> & { threat?: { enrichments?: unknown[] }; related?: Record<string, string[]> };

const PATHS = EVENT_FIELDS.map((field) => ({ field, path: field.split('.') }));
const LISTS: Readonly<Record<string, string>> = { ip: 'ip', data: 'ip', domain: 'hosts', name: 'hosts', sha256: 'hash' };

/** Every document parsed, its fields looked up in a Map, written anew. */
function enrichBulk(text: string, verdicts: ReadonlyMap<string, ApiVerdict>): string {
  const lines = text.split('\n');
  let isDocument = false;
  for (let n = 0; n < lines.length; n++) {
    const line = lines[n] ?? '';
    if (line === '') continue;
    if (isDocument) lines[n] = JSON.stringify(enrich(JSON.parse(line) as Event, verdicts));
    isDocument = !isDocument && !line.startsWith('{"delete"');
  }
  return lines.join('\n');
}

function enrich(event: Event, verdicts: ReadonlyMap<string, ApiVerdict>): Event {
  let worst: { verdict: ApiVerdict; field: string; value: string } | null = null;
  const related = (event.related ??= {});
  for (const { field, path } of PATHS) {
    for (const value of valuesAt(event, path)) {
      const verdict = verdicts.get(value);
      if (verdict === undefined) continue;
      if (worst === null || verdict.riskScore.score > worst.verdict.riskScore.score) worst = { verdict, field, value };
      const list = (related[LISTS[path.at(-1) ?? ''] ?? 'hosts'] ??= []);
      if (!list.includes(value)) list.push(value);
      if (!verdict.malicious) continue;
      const entries = ((event.threat ??= {}).enrichments ??= []);
      entries.push({
        indicator: { name: value, provider: 'isMalicious', confidence: 'High', description: verdict.categories.join(', ') },
        matched: { atomic: value, field, id: `${field}:${value}`, occurred: new Date().toISOString(), type: 'indicator_match_rule' },
        feed: { name: 'isMalicious' },
      });
    }
  }
  if (worst === null) return event;
  const { verdict, field, value } = worst;
  event.ismalicious = {
    verdict: verdict.malicious ? 'malicious' : 'clean',
    status: 'ok',
    malicious: verdict.malicious,
    score: verdict.riskScore.score,
    confidence: verdict.confidenceScore,
    categories: verdict.categories,
    tier: 'log',
    source: 'cache',
    indicator: value,
    field,
  };
  return event;
}

function serve(listener: http.RequestListener): void {
  const server = http.createServer(listener);
  server.listen(0, '127.0.0.1', () => process.stdout.write(`listening ${(server.address() as AddressInfo).port}\n`));
}

function runSink(): void {
  const answer = Buffer.from('{"took":1,"errors":false,"items":[]}');
  serve((req, res) => {
    req.resume();
    req.on('end', () => res.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length }).end(answer));
  });
}

function runGateway(upstream: string, path: string): void {
  const verdicts = new Map(JSON.parse(readFileSync(path, 'utf8')) as [string, ApiVerdict][]);
  const agent = new http.Agent({ keepAlive: true });
  serve((req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => {
      const body = Buffer.concat(parts);
      const text = (req.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString();
      const enriched = Buffer.from(enrichBulk(text, verdicts));
      const headers = { 'content-type': 'application/x-ndjson', 'content-length': enriched.length };
      const out = http.request(`${upstream}${req.url ?? '/'}`, { agent, method: 'POST', headers }, (answer) => {
        res.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(res);
      });
      out.on('error', () => res.writeHead(502).end());
      out.end(enriched);
    });
  });
}

if (process.argv[1] === import.meta.filename) {
  const [, , role = '', upstream = '', verdicts = ''] = process.argv;
  if (role === 'sink') runSink();
  else runGateway(upstream, verdicts);
}
