import http from 'node:http';
import type { AddressInfo } from 'node:net';

// The least that an enriching server can honestly do: parse, look one address up in a Map, write the whole event. Prints `listening PORT`.

interface Event {
  readonly destination?: { readonly ip?: string };
  threat?: object;
}

interface Verdict {
  readonly malicious: boolean;
  readonly score: number;
}

const verdicts = new Map<string, Verdict>();

function enrich(event: Event): Event {
  const ip = event.destination?.ip;
  if (ip === undefined) return event;
  let verdict = verdicts.get(ip);
  if (verdict === undefined) verdicts.set(ip, (verdict = { malicious: false, score: ip.length }));
  const indicator = { ip, type: 'ipv4-addr', confidence: 'High', provider: 'isMalicious' };
  event.threat = { enrichments: [{ indicator, matched: { atomic: ip, field: 'destination.ip', type: 'indicator_match_rule' } }] };
  return event;
}

const server = http.createServer((req, res) => {
  const parts: Buffer[] = [];
  req.on('data', (part: Buffer) => parts.push(part));
  req.on('end', () => {
    const whole: unknown = JSON.parse((parts.length === 1 ? (parts[0] ?? '') : Buffer.concat(parts)).toString());
    const body = JSON.stringify(Array.isArray(whole) ? whole.map((event) => enrich(event as Event)) : enrich(whole as Event));
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
  });
});
server.listen(0, '127.0.0.1', () => console.log(`listening ${(server.address() as AddressInfo).port}`));
