import * as z from 'zod/mini';
import type { Indicator } from '../model/indicator.ts';
import { isoTime, timeSpan } from '../model/formats/iso-time.ts';
import type { Verdict } from '../model/verdict.ts';
import { judgeAbuseCh } from './reading/abuse-ch.ts';
import { apiUrl } from './reading/http-call.ts';
import { defineProvider } from './provider.ts';
import { settingsOf } from './reading/provider-settings.ts';
import { assertAbout, verdictOf, wordOfScore } from './reading/verdict-facts.ts';
import { threatCategories } from './reading/threat-words.ts';
import { droppedNote, readTolerant } from './reading/read-tolerant.ts';

/** A URL that serves malware now, and one that did: pages get cleaned, so an old one is weaker. */
const URL_SCORE = { online: 95, offline: 75 };

/** A host is more than one of its pages: below its URLs, and lower again when it is known as a hacked good one. */
const HOST_SCORE = { online: 85, offline: 50, abusedOnline: 55, abusedOffline: 30 };

/** A file that URLhaus fetched from a malware URL. */
const PAYLOAD_SCORE = 85;
const LISTED_CONFIDENCE = 90;

const declare = settingsOf('urlhaus');

const Settings = z.object({
  apiKey: declare.secret(
    'apiKey',
    'abuse.ch Auth-Key, from https://auth.abuse.ch; the same key serves MalwareBazaar, ThreatFox and URLhaus.',
  ),
  baseUrl: declare.baseUrl('https://urlhaus-api.abuse.ch'),
});

const Tags = z.nullish(z.array(z.string()));

const UrlAnswer = z.object({
  query_status: z.literal('ok'),
  url: z.string(),
  url_status: z.string(),
  threat: z.nullish(z.string()),
  date_added: z.nullish(z.string()),
  last_online: z.nullish(z.string()),
  urlhaus_reference: z.nullish(z.string()),
  tags: Tags,
});

const HostAnswer = z.object({
  query_status: z.literal('ok'),
  host: z.string(),
  url_count: z.nullish(z.union([z.string(), z.number()])),
  firstseen: z.nullish(z.string()),
  blacklists: z.nullish(z.object({ spamhaus_dbl: z.nullish(z.string()), surbl: z.nullish(z.string()) })),
  urls: z.array(z.object({ url_status: z.string(), date_added: z.nullish(z.string()), threat: z.nullish(z.string()), tags: Tags })),
});

const PayloadAnswer = z.object({
  query_status: z.literal('ok'),
  md5_hash: z.string(),
  sha256_hash: z.string(),
  file_type: z.nullish(z.string()),
  signature: z.nullish(z.string()),
  firstseen: z.nullish(z.string()),
  lastseen: z.nullish(z.string()),
  url_count: z.nullish(z.union([z.string(), z.number()])),
});

/** Fields that decide: a fault in them is a fault of the answer. */
const DECIDES: ReadonlySet<string> = new Set(['query_status', 'url', 'url_status', 'host', 'urls', 'md5_hash', 'sha256_hash']);

/** abuse.ch URLhaus: URLs that serve malware, their hosts, and the files fetched from them. */
export const urlhaus = defineProvider({
  id: 'urlhaus',
  title: 'URLhaus',
  docs: 'https://urlhaus-api.abuse.ch/',
  types: ['url', 'domain-name', 'ipv4-addr', 'file:md5', 'file:sha256'],
  settings: Settings,
  concurrency: 4,
  cost: 0,
  maxTlp: 'GREEN',
  scale: `A URL: ${URL_SCORE.online} while it is online, ${URL_SCORE.offline} after. A host: ${HOST_SCORE.online} with a URL online, ${HOST_SCORE.offline} without; ${HOST_SCORE.abusedOnline} and ${HOST_SCORE.abusedOffline} when Spamhaus knows it as an abused legitimate host. A file: ${PAYLOAD_SCORE}. Malicious from 60.`,
  terms: 'Free under fair use.',

  request(indicator, { apiKey, baseUrl }) {
    const [path, field] = questionOf(indicator);
    return {
      url: apiUrl(baseUrl, '/v1', path, ''),
      method: 'POST',
      headers: { 'auth-key': apiKey, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ [field]: indicator.value }).toString(),
    };
  },

  judge: (answer) => judgeAbuseCh('urlhaus', answer),

  read(body, indicator) {
    const [path] = questionOf(indicator);
    if (path === 'url') return readUrl(body, indicator);
    return path === 'host' ? readHost(body, indicator) : readPayload(body, indicator);
  },
});

function questionOf({ type }: Indicator): readonly [path: 'url' | 'host' | 'payload', field: string] {
  if (type === 'url') return ['url', 'url'];
  if (type === 'file:md5') return ['payload', 'md5_hash'];
  return type === 'file:sha256' ? ['payload', 'sha256_hash'] : ['host', 'host'];
}

function readUrl(body: unknown, indicator: Indicator): Verdict {
  const { answer, dropped } = readTolerant(UrlAnswer, body, DECIDES);
  assertAbout('urlhaus', indicator, [answer.url]);
  const added = isoTime(answer.date_added);
  return verdictOf('urlhaus', {
    ...droppedNote(dropped),
    verdict: 'malicious',
    score: answer.url_status === 'online' ? URL_SCORE.online : URL_SCORE.offline,
    confidence: LISTED_CONFIDENCE,
    categories: ['malware', ...threatCategories([answer.threat, ...(answer.tags ?? [])])],
    attributes: [answer.url_status, ...(answer.tags ?? [])],
    firstSeen: added,
    lastSeen: timeSpan([isoTime(answer.last_online), added]).last,
    reference: pageOf(answer.urlhaus_reference, indicator),
  });
}

function readHost(body: unknown, indicator: Indicator): Verdict {
  const { answer, dropped } = readTolerant(HostAnswer, body, DECIDES);
  assertAbout('urlhaus', indicator, [answer.host]);
  const isOnline = answer.urls.some(({ url_status }) => url_status === 'online');
  const isAbused = answer.blacklists?.spamhaus_dbl?.startsWith('abused_') === true;
  const score = isAbused
    ? isOnline
      ? HOST_SCORE.abusedOnline
      : HOST_SCORE.abusedOffline
    : isOnline
      ? HOST_SCORE.online
      : HOST_SCORE.offline;
  return verdictOf('urlhaus', {
    ...droppedNote(dropped),
    verdict: wordOfScore(score),
    score,
    confidence: LISTED_CONFIDENCE,
    categories: ['malware', ...threatCategories(answer.urls.flatMap((url) => [url.threat, ...(url.tags ?? [])]))],
    attributes: [isOnline ? 'online' : 'offline', ...(isAbused ? ['abused-legitimate'] : [])],
    sightings: countOf(answer.url_count) ?? answer.urls.length,
    firstSeen: isoTime(answer.firstseen),
    lastSeen: timeSpan([isoTime(answer.firstseen), ...answer.urls.map((url) => isoTime(url.date_added))]).last,
    reference: `https://urlhaus.abuse.ch/host/${encodeURIComponent(indicator.value)}/`,
  });
}

function readPayload(body: unknown, indicator: Indicator): Verdict {
  const { answer, dropped } = readTolerant(PayloadAnswer, body, DECIDES);
  assertAbout('urlhaus', indicator, [answer.md5_hash, answer.sha256_hash]);
  return verdictOf('urlhaus', {
    ...droppedNote(dropped),
    verdict: 'malicious',
    score: PAYLOAD_SCORE,
    confidence: LISTED_CONFIDENCE,
    categories: ['malware', ...threatCategories([answer.signature]), answer.signature ?? ''],
    attributes: [answer.file_type ?? ''],
    sightings: countOf(answer.url_count),
    firstSeen: isoTime(answer.firstseen),
    lastSeen: isoTime(answer.lastseen ?? answer.firstseen),
    reference: `https://urlhaus.abuse.ch/browse.php?search=${encodeURIComponent(indicator.value)}`,
  });
}

/** Counts come as digits in a string. */
function countOf(value: string | number | null | undefined): number | null {
  const count = Number(value ?? Number.NaN);
  return Number.isInteger(count) && count >= 0 ? count : null;
}

/** The vendor's own page; only on the vendor's site, whatever the answer says. */
function pageOf(reference: string | null | undefined, indicator: Indicator): string {
  return reference?.startsWith('https://urlhaus.abuse.ch/')
    ? reference
    : `https://urlhaus.abuse.ch/browse.php?search=${encodeURIComponent(indicator.value)}`;
}
