import * as z from 'zod/mini';
import type { Indicator } from '../model/indicator.ts';
import { isoTime, timeSpan } from '../model/formats/iso-time.ts';
import { judgeAbuseCh } from './reading/abuse-ch.ts';
import { apiUrl } from './reading/http-call.ts';
import { defineProvider } from './provider.ts';
import { settingsOf } from './reading/provider-settings.ts';
import { isAbout, verdictOf, wordOfScore } from './reading/verdict-facts.ts';
import { threatCategories } from './reading/threat-words.ts';
import { wordTable } from '../model/tables/word-table.ts';
import { droppedNote, readTolerant } from './reading/read-tolerant.ts';

/** An entry says "malicious"; how sure its reporter was moves it from doubtful (40) to near certain (90). */
const LISTED_SCORE = 40;
const SCORE_PER_CONFIDENCE = 0.5;

const THREATS = wordTable<string>({ botnet_cc: 'c2', payload_delivery: 'malware', payload: 'malware' });

const declare = settingsOf('threatfox');

const Settings = z.object({
  apiKey: declare.secret(
    'apiKey',
    'abuse.ch Auth-Key, from https://auth.abuse.ch; the same key serves MalwareBazaar, ThreatFox and URLhaus.',
  ),
  baseUrl: declare.baseUrl('https://threatfox-api.abuse.ch'),
});

const Answer = z.object({
  query_status: z.literal('ok'),
  data: z.array(
    z.object({
      id: z.union([z.string(), z.number()]),
      ioc: z.string(),
      threat_type: z.string(),
      malware_printable: z.nullish(z.string()),
      confidence_level: z.number().check(z.gte(0), z.lte(100)),
      first_seen: z.nullish(z.string()),
      last_seen: z.nullish(z.string()),
      tags: z.nullish(z.array(z.string())),
    }),
  ),
});

/** Fields that decide: a fault in them is a fault of the answer. */
const DECIDES: ReadonlySet<string> = new Set(['query_status', 'data', 'ioc', 'threat_type', 'confidence_level']);

/** abuse.ch ThreatFox: indicators of malware infrastructure, each with its reporter's confidence. */
export const threatfox = defineProvider({
  id: 'threatfox',
  title: 'ThreatFox',
  docs: 'https://threatfox.abuse.ch/api/',
  types: ['ipv4-addr', 'ipv6-addr', 'domain-name', 'url', 'file:md5', 'file:sha1', 'file:sha256', 'email-addr'],
  settings: Settings,
  concurrency: 4,
  cost: 0,
  maxTlp: 'GREEN',
  scale: 'The best entry counts: 40 plus half of its confidence level (50 → 65, 75 → 78, 100 → 90). Malicious from 60.',
  terms: 'Free under fair use.',

  request(indicator, { apiKey, baseUrl }) {
    // Addresses are stored with their port (`203.0.113.7:443`): an exact search would miss every one of them.
    const isAddress = indicator.type === 'ipv4-addr' || indicator.type === 'ipv6-addr';
    return {
      url: apiUrl(baseUrl, '/api/v1', ''),
      method: 'POST',
      headers: { 'auth-key': apiKey, 'content-type': 'application/json' },
      body: JSON.stringify({ query: 'search_ioc', search_term: indicator.value, exact_match: !isAddress }),
    };
  },

  judge: (answer) => judgeAbuseCh('threatfox', answer),

  read(body, indicator) {
    const { answer, dropped } = readTolerant(Answer, body, DECIDES);
    const entries = answer.data.filter(({ ioc }) => names(ioc, indicator));
    const [best] = [...entries].sort((a, b) => b.confidence_level - a.confidence_level);
    if (!best) return null;
    const score = Math.round(LISTED_SCORE + best.confidence_level * SCORE_PER_CONFIDENCE);
    const tags = entries.flatMap((entry) => [entry.malware_printable, ...(entry.tags ?? [])]);
    return verdictOf('threatfox', {
      ...droppedNote(dropped),
      verdict: wordOfScore(score),
      score,
      confidence: best.confidence_level,
      categories: [
        ...entries.map((entry) => THREATS.get(entry.threat_type) ?? entry.threat_type),
        ...threatCategories(tags),
        ...entries.map((entry) => entry.malware_printable ?? ''),
      ],
      sightings: entries.length,
      firstSeen: timeSpan(entries.map((entry) => isoTime(entry.first_seen))).first,
      lastSeen: timeSpan(entries.map((entry) => isoTime(entry.last_seen ?? entry.first_seen))).last,
      reference: `https://threatfox.abuse.ch/ioc/${encodeURIComponent(String(best.id))}/`,
    });
  },
});

/** Whether an entry is about this very value. A search by address also finds longer ones (`203.0.113.70`) and URLs on it. */
function names(ioc: string, { type, value }: Indicator): boolean {
  const text = ioc.trim().toLowerCase();
  const wanted = value.toLowerCase();
  if (type === 'ipv4-addr') return text.replace(/:\d+$/, '') === wanted;
  if (type === 'ipv6-addr') return isAbout({ type, value }, text.replace(/^\[(.*)\](:\d+)?$/, '$1'));
  if (type === 'url') return text.replace(/\/$/, '') === wanted.replace(/\/$/, '');
  return text === wanted;
}
