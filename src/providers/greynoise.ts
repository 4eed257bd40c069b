import * as z from 'zod/mini';
import { isoTime } from '../model/formats/iso-time.ts';
import { apiUrl, errorText, refusal } from './reading/http-call.ts';
import { defineProvider } from './provider.ts';
import { settingsOf } from './reading/provider-settings.ts';
import { assertAbout, isAbout, verdictOf } from './reading/verdict-facts.ts';
import { droppedNote, readTolerant } from './reading/read-tolerant.ts';

const WEEK_MS = 604_800_000;

/** GreyNoise saw the attack traffic itself, but calls no degree: one value per class. */
const MALICIOUS_SCORE = 80;
const SEEN_CONFIDENCE = 80;

const declare = settingsOf('greynoise');

const Settings = z.object({
  apiKey: declare.optionalSecret('apiKey', 'GreyNoise community key. Without one 25 look-ups a week are answered.'),
  baseUrl: declare.baseUrl('https://api.greynoise.io'),
});

const Answer = z.object({
  ip: z.string(),
  noise: z.boolean(),
  riot: z.boolean(),
  classification: z.enum(['benign', 'malicious', 'unknown']),
  name: z.nullish(z.string()),
  link: z.nullish(z.string()),
  last_seen: z.nullish(z.string()),
});

const Miss = z.object({ ip: z.string(), noise: z.literal(false), riot: z.literal(false) });

/** Fields that decide: a fault in them is a fault of the answer. */
const DECIDES: ReadonlySet<string> = new Set(['ip', 'noise', 'riot', 'classification']);

/** GreyNoise community: whether an address scans the whole internet (noise) or belongs to a common business service (riot). */
export const greynoise = defineProvider({
  id: 'greynoise',
  title: 'GreyNoise Community',
  docs: 'https://docs.greynoise.io/reference/get_v3-community-ip',
  types: ['ipv4-addr'],
  settings: Settings,
  quotas: [{ requests: 25, perMs: WEEK_MS }],
  concurrency: 2,
  cost: 1,
  maxTlp: 'GREEN',
  weight: 0.6,
  scale: `Class malicious is ${MALICIOUS_SCORE}. A common business service (riot) and a benign scanner were looked at and are clean with 0. An unknown scanner stays unknown without a score: scanning alone is an attribute.`,
  terms: 'Without a key 25 look-ups a week.',

  request(indicator, { apiKey, baseUrl }) {
    return {
      url: apiUrl(baseUrl, '/v3', 'community', indicator.value),
      headers: { accept: 'application/json', ...(apiKey ? { key: apiKey } : {}) },
    };
  },

  judge({ status, body }, indicator) {
    // A miss is a 404 with a whole answer in it; any other 404 is a wrong base URL.
    const miss = status === 404 ? Miss.safeParse(body) : null;
    if (miss?.success) return indicator === null || isAbout(indicator, miss.data.ip) ? 'not-listed' : 'answer';
    const limit = errorText(body, 'rate-limit');
    return status === 429 && /\/(day|week|month)/.test(limit)
      ? refusal('quota_exhausted', 'greynoise', `quota used up (${limit.slice(0, 40)})`)
      : undefined;
  },

  read(body, indicator) {
    const { answer, dropped } = readTolerant(Answer, body, DECIDES);
    assertAbout('greynoise', indicator, [answer.ip]);
    if (!answer.noise && !answer.riot) return null;
    const isMalicious = answer.classification === 'malicious';
    const isCleared = answer.classification === 'benign' || (answer.riot && !isMalicious);
    return verdictOf('greynoise', {
      ...droppedNote(dropped),
      verdict: isMalicious ? 'malicious' : isCleared ? 'clean' : 'unknown',
      score: isMalicious ? MALICIOUS_SCORE : isCleared ? 0 : null,
      confidence: isMalicious || isCleared ? SEEN_CONFIDENCE : null,
      categories: isMalicious ? ['scanning'] : [],
      attributes: [...(answer.noise ? ['scanner'] : []), ...(answer.riot ? ['business-service', 'allowlist'] : [])],
      lastSeen: isoTime(answer.last_seen),
      reference: `https://viz.greynoise.io/ip/${encodeURIComponent(indicator.value)}`,
    });
  },
});
