import * as z from 'zod/mini';
import { toBase64 } from '../model/formats/base64.ts';
import type { IndicatorType } from '../model/indicator.ts';
import { isoTime } from '../model/formats/iso-time.ts';
import { scoreOfCount } from './reading/score-curve.ts';
import { apiUrl, errorText, headerNumber, refusal } from './reading/http-call.ts';
import { defineProvider } from './provider.ts';
import { settingsOf } from './reading/provider-settings.ts';
import { ALLOW_LISTED_MAX_SCORE, assertAbout, assertAboutIfTold, verdictOf } from './reading/verdict-facts.ts';
import { threatCategories } from './reading/threat-words.ts';
import { droppedNote, readTolerant } from './reading/read-tolerant.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** A quota answer may mean the minute, the day or the month: asked again after a minute, as the vendor's clients do. */
const QUOTA_WAIT_S = 60;

/** Engines that answered, times this, is our confidence, up to `MAX_CONFIDENCE`: 60 of 90 engines are as good as all. */
const CONFIDENCE_PER_ENGINE = 1.5;
const MAX_CONFIDENCE = 95;

/** A suspicious engine counts as half of a malicious one. */
const SUSPICIOUS_WEIGHT = 0.5;

const declare = settingsOf('virustotal');

const Settings = z.object({
  apiKey: declare.secret('apiKey', 'VirusTotal v3 key, from your profile page there. A public key is not for business workflows.'),
  baseUrl: declare.baseUrl('https://www.virustotal.com'),
  engineScores: declare.curve(
    'engineScores',
    '1:20,3:50,5:70,10:90,30:100',
    'Score by the number of engines that call it malicious (suspicious ones count half).',
  ),
  minCleanEngines: declare.setting(
    'minCleanEngines',
    z._default(z.int().check(z.gte(1), z.lte(100)), 10),
    'Engines that have to vouch for a value, none against, before it is called clean; 1 to 100. With fewer it stays unknown.',
  ),
});

const Stats = z.object({ malicious: z.int().check(z.gte(0)), suspicious: z.int().check(z.gte(0)), undetected: z.int(), harmless: z.int() });

const Answer = z.object({
  data: z.object({
    id: z.string(),
    type: z.enum(['ip_address', 'domain', 'file', 'url']),
    attributes: z.object({
      last_analysis_stats: Stats,
      last_analysis_date: z.nullish(z.number()),
      first_submission_date: z.nullish(z.number()),
      last_submission_date: z.nullish(z.number()),
      tags: z.nullish(z.array(z.string())),
      last_analysis_results: z.nullish(z.record(z.string(), z.object({ category: z.string(), result: z.nullish(z.string()) }))),
      popular_threat_classification: z.nullish(
        z.object({
          popular_threat_category: z.nullish(z.array(z.object({ value: z.string() }))),
          popular_threat_name: z.nullish(z.array(z.object({ value: z.string() }))),
        }),
      ),
      trusted_verdict: z.nullish(z.object({ verdict: z.nullish(z.string()) })),
      url: z.nullish(z.string()),
      md5: z.nullish(z.string()),
      sha1: z.nullish(z.string()),
      sha256: z.nullish(z.string()),
    }),
  }),
});

type Attributes = z.output<typeof Answer>['data']['attributes'];

const COLLECTIONS: Readonly<Partial<Record<IndicatorType, readonly [api: string, type: string, page: string]>>> = {
  'ipv4-addr': ['ip_addresses', 'ip_address', 'ip-address'],
  'ipv6-addr': ['ip_addresses', 'ip_address', 'ip-address'],
  'domain-name': ['domains', 'domain', 'domain'],
  url: ['urls', 'url', 'url'],
};
const FILES = ['files', 'file', 'file'] as const;

/** Fields that decide: a fault in them is a fault of the answer. */
const DECIDES: ReadonlySet<string> = new Set([
  'data',
  'id',
  'type',
  'attributes',
  'last_analysis_stats',
  'malicious',
  'suspicious',
  'undetected',
  'harmless',
]);

/** VirusTotal v3: how many of about 90 engines call a value malicious. A count says more than a share, so that is what is scored. */
export const virustotal = defineProvider({
  id: 'virustotal',
  title: 'VirusTotal',
  docs: 'https://docs.virustotal.com/reference/overview',
  types: ['ipv4-addr', 'ipv6-addr', 'domain-name', 'url', 'file:md5', 'file:sha1', 'file:sha256'],
  settings: Settings,
  quotas: [
    { requests: 4, perMs: MINUTE_MS },
    { requests: 500, perMs: DAY_MS },
  ],
  concurrency: 4,
  cost: 1,
  maxTlp: 'GREEN',
  weight: 0.9,
  scale:
    'Engines that say malicious, on a saturating curve (1 → 20, 3 → 50, 5 → 70, 10 → 90, 30 → 100; a suspicious one counts half). Malicious from 60. Clean when at least 10 engines vouch and none objects; for files "undetected" counts as vouching, for the rest only "harmless".',
  terms: 'A public key allows 4 requests a minute and 500 a day, and no use in commercial products or business workflows.',

  request(indicator, { apiKey, baseUrl }) {
    const [collection] = COLLECTIONS[indicator.type] ?? FILES;
    const id = indicator.type === 'url' ? base64Url(indicator.value) : indicator.value;
    return { url: apiUrl(baseUrl, '/api/v3', collection, id), headers: { 'x-apikey': apiKey, accept: 'application/json' } };
  },

  judge({ status, body, headers }) {
    const code = errorText(body, 'error', 'code');
    if (status === 404 && code === 'notfounderror') return 'not-listed';
    if (status !== 429 || code !== 'quotaexceedederror') return undefined;
    return refusal(
      'quota_exhausted',
      'virustotal',
      'quota used up',
      headerNumber({ status, body, headers }, 'retry-after') ?? QUOTA_WAIT_S,
    );
  },

  read(body, indicator, { engineScores, minCleanEngines }) {
    const { answer, dropped } = readTolerant(Answer, body, DECIDES);
    const { data } = answer;
    const { attributes } = data;
    const [, type, page] = COLLECTIONS[indicator.type] ?? FILES;
    if (data.type !== type) throw refusal('bad_response', 'virustotal', `answered about a ${data.type} instead of a ${type}`);
    // A URL's id is a digest of the vendor's own spelling of it.
    if (type === 'url') assertAboutIfTold('virustotal', indicator, attributes.url);
    else assertAbout('virustotal', indicator, [data.id, attributes.md5, attributes.sha1, attributes.sha256]);
    // Timeouts, failures and unsupported types are left out: those engines did not answer.
    const { malicious, suspicious, undetected, harmless } = attributes.last_analysis_stats;
    const answered = malicious + suspicious + undetected + harmless;
    // An address or name that nobody ever analysed is answered with zeros.
    if (answered === 0) return null;
    const accusing = malicious + suspicious * SUSPICIOUS_WEIGHT;
    const isGoodware = attributes.trusted_verdict?.verdict === 'goodware';
    const score = Math.min(scoreOfCount(accusing, engineScores), isGoodware ? ALLOW_LISTED_MAX_SCORE : 100);
    const isCleared = accusing === 0 && harmless + (type === 'file' ? undetected : 0) >= minCleanEngines;
    return verdictOf('virustotal', {
      ...droppedNote(dropped),
      verdict: accusing > 0 ? (score >= 60 ? 'malicious' : 'suspicious') : isCleared ? 'clean' : 'unknown',
      score: accusing > 0 || isCleared ? score : null,
      confidence: accusing > 0 || isCleared ? Math.min(MAX_CONFIDENCE, answered * CONFIDENCE_PER_ENGINE) : null,
      categories: accusing > 0 ? categoriesOf(attributes) : [],
      attributes: [...(isGoodware ? ['allowlist'] : []), ...(attributes.tags ?? [])],
      sightings: malicious + suspicious,
      detections: { malicious, total: answered },
      firstSeen: isoTime(attributes.first_submission_date),
      lastSeen: isoTime(attributes.last_submission_date ?? attributes.last_analysis_date),
      reference: `https://www.virustotal.com/gui/${page}/${encodeURIComponent(data.id)}`,
    });
  },
});

function categoriesOf({ last_analysis_results, popular_threat_classification: popular }: Attributes): string[] {
  const results = Object.values(last_analysis_results ?? {}).filter(
    ({ category }) => category === 'malicious' || category === 'suspicious',
  );
  const named = [...(popular?.popular_threat_category ?? []), ...(popular?.popular_threat_name ?? [])].map(({ value }) => value);
  return [...threatCategories([...results.map(({ result }) => result), ...named]), ...named];
}

/** URL identifiers are base64url of the URL without padding (v3 reference, "URLs"). */
function base64Url(text: string): string {
  return toBase64(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
