import * as z from 'zod/mini';
import { toBase64 } from '../model/formats/base64.ts';
import { apiUrl, refusal } from './reading/http-call.ts';
import { defineProvider } from './provider.ts';
import { settingsOf } from './reading/provider-settings.ts';
import { verdictOf } from './reading/verdict-facts.ts';
import { droppedNote, readTolerant } from './reading/read-tolerant.ts';

const declare = settingsOf('passivetotal');

const Settings = z.object({
  username: declare.setting('username', z.string().check(z.trim(), z.regex(/^[^:\s]+$/)), 'PassiveTotal account, an e-mail address.'),
  apiKey: declare.secret('apiKey', 'PassiveTotal v2 key.'),
  baseUrl: declare.baseUrl('https://api.passivetotal.org'),
});

const Answer = z.object({
  score: z.number().check(z.gte(0), z.lte(100)),
  classification: z.enum(['MALICIOUS', 'SUSPICIOUS', 'NEUTRAL', 'UNKNOWN', 'GOOD']),
  rules: z.array(z.object({ name: z.string() })),
});

const WORDS = { MALICIOUS: 'malicious', SUSPICIOUS: 'suspicious', NEUTRAL: 'unknown', UNKNOWN: 'unknown', GOOD: 'clean' } as const;

/** Fields that decide: a fault in them is a fault of the answer. */
const DECIDES: ReadonlySet<string> = new Set(['score', 'classification']);

/** RiskIQ PassiveTotal v2 reputation, for those who still have it behind a gateway. Its successor is `defender_ti`. */
export const passivetotal = defineProvider({
  id: 'passivetotal',
  title: 'PassiveTotal (RiskIQ)',
  docs: 'https://api.riskiq.net/api/reputation/',
  types: ['ipv4-addr', 'domain-name'],
  settings: Settings,
  concurrency: 2,
  cost: 1,
  maxTlp: 'GREEN',
  weight: 0.8,
  scale: 'Its own score and class. No class and no rule means not listed; GOOD is clean.',
  retired: 'PassiveTotal was replaced by Microsoft Defender Threat Intelligence: use defender_ti. It is asked only when enabled by hand.',

  request(indicator, { username, apiKey, baseUrl }) {
    const url = apiUrl(baseUrl, '/v2', 'reputation');
    url.searchParams.set('query', indicator.value);
    return { url, headers: { authorization: `Basic ${toBase64(`${username}:${apiKey}`)}`, accept: 'application/json' } };
  },

  judge({ status }) {
    return status === 402 ? refusal('quota_exhausted', 'passivetotal', 'quota used up (HTTP 402)') : undefined;
  },

  read(body, indicator) {
    const { answer, dropped } = readTolerant(Answer, body, DECIDES);
    const { score, classification, rules } = answer;
    if (classification === 'UNKNOWN' && rules.length === 0) return null;
    const isScored = classification === 'GOOD' || score > 0;
    return verdictOf('passivetotal', {
      ...droppedNote(dropped),
      verdict: WORDS[classification],
      score: isScored ? score : null,
      attributes: rules.map(({ name }) => name),
      reference: `https://community.riskiq.com/search/${encodeURIComponent(indicator.value)}`,
    });
  },
});
