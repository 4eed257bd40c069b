import * as z from 'zod/mini';
import type { Indicator } from '../model/indicator.ts';
import { isoTime, timeSpan } from '../model/formats/iso-time.ts';
import { strictestTlp } from '../model/tlp.ts';
import { scoreOfCount } from './reading/score-curve.ts';
import { apiUrl } from './reading/http-call.ts';
import { defineProvider } from './provider.ts';
import { settingsOf } from './reading/provider-settings.ts';
import { ALLOW_LISTED_MAX_SCORE, assertAbout, verdictOf, wordOfScore } from './reading/verdict-facts.ts';
import { threatCategories } from './reading/threat-words.ts';
import { droppedNote, readTolerant } from './reading/read-tolerant.ts';

const HOUR_MS = 3_600_000;

/** Anybody may publish a pulse: a hit says "somebody wrote it down", so it never reaches the malicious band alone before many agree. */
const CONFIDENCE = 50;

/** Second-level labels under which names are registered (`example.co.uk`): OTX knows those as domains, all longer names as hostnames. */
const REGISTRY_LABELS = new Set(['ac', 'co', 'com', 'edu', 'gob', 'gov', 'go', 'gouv', 'mil', 'ne', 'net', 'nom', 'or', 'org']);

const declare = settingsOf('otx');

const Settings = z.object({
  apiKey: declare.optionalSecret('apiKey', 'OTX key, from your settings page there. Without one far fewer requests an hour are answered.'),
  baseUrl: declare.baseUrl('https://otx.alienvault.com'),
  pulseScores: declare.curve('pulseScores', '1:30,3:45,10:65,30:75', 'Score by the number of pulses that name the value.'),
});

const Pulse = z.object({
  modified: z.nullish(z.string()),
  created: z.nullish(z.string()),
  tags: z.nullish(z.array(z.string())),
  TLP: z.nullish(z.string()),
  malware_families: z.nullish(z.array(z.union([z.string(), z.object({ display_name: z.nullish(z.string()) })]))),
  related_indicator_is_active: z.nullish(z.number()),
});

const Answer = z.object({
  indicator: z.string(),
  pulse_info: z.object({ count: z.int().check(z.gte(0)), pulses: z.array(Pulse) }),
  validation: z.nullish(z.array(z.object({ source: z.nullish(z.string()) }))),
  false_positive: z.nullish(z.array(z.object({ assessment: z.nullish(z.string()) }))),
});

/** Fields that decide: a fault in them is a fault of the answer. */
const DECIDES: ReadonlySet<string> = new Set(['indicator', 'pulse_info', 'count', 'pulses']);

/** LevelBlue (AlienVault) OTX: in how many community reports ("pulses") a value is named, and whether OTX itself cleared it. */
export const otx = defineProvider({
  id: 'otx',
  title: 'OTX',
  docs: 'https://otx.alienvault.com/api',
  types: ['ipv4-addr', 'ipv6-addr', 'domain-name', 'url', 'file:md5', 'file:sha1', 'file:sha256', 'cve'],
  settings: Settings,
  quotas: [{ requests: 1000, perMs: HOUR_MS }],
  concurrency: 4,
  cost: 0,
  maxTlp: 'GREEN',
  weight: 0.5,
  scale: `Active pulses on a saturating curve (1 → 30, 3 → 45, 10 → 65, 30 → 75). A value that OTX lists as allow-listed or as an accepted false positive stays at ${ALLOW_LISTED_MAX_SCORE} or below, and is clean when no pulse names it; a vulnerability never is. Malicious from 60.`,
  terms: 'About 10 000 requests an hour with a key, 1000 without.',

  request(indicator, { apiKey, baseUrl }) {
    const url = apiUrl(baseUrl, '/api/v1', 'indicators', sectionOf(indicator), indicator.value, 'general');
    return { url, headers: { accept: 'application/json', ...(apiKey ? { 'x-otx-api-key': apiKey } : {}) } };
  },

  read(body, indicator, { pulseScores }) {
    const { answer, dropped } = readTolerant(Answer, body, DECIDES);
    assertAbout('otx', indicator, [answer.indicator]);
    const { count, pulses } = answer.pulse_info;
    const inactive = pulses.filter((pulse) => pulse.related_indicator_is_active === 0);
    const active = pulses.filter((pulse) => pulse.related_indicator_is_active !== 0);
    const reports = Math.max(0, count - inactive.length);
    const isAllowListed =
      answer.validation?.some(({ source }) => source === 'whitelist' || source === 'false_positive') === true ||
      answer.false_positive?.some(({ assessment }) => assessment === 'accepted') === true;
    if (reports === 0 && !isAllowListed) return null;
    const score = Math.min(scoreOfCount(reports, pulseScores), isAllowListed ? ALLOW_LISTED_MAX_SCORE : 100);
    const families = active
      .flatMap((pulse) => pulse.malware_families ?? [])
      .map((family) => (typeof family === 'string' ? family : family.display_name));
    return verdictOf('otx', {
      ...droppedNote(dropped),
      verdict: isAllowListed ? (reports === 0 && indicator.type !== 'cve' ? 'clean' : 'unknown') : wordOfScore(score),
      score,
      confidence: CONFIDENCE,
      categories: isAllowListed
        ? []
        : [...threatCategories([...active.flatMap((pulse) => pulse.tags ?? []), ...families]), ...families.map((family) => family ?? '')],
      attributes: isAllowListed ? ['allowlist'] : [],
      sightings: reports,
      firstSeen: timeSpan(active.map((pulse) => isoTime(pulse.created))).first,
      lastSeen: timeSpan(active.map((pulse) => isoTime(pulse.modified))).last,
      tlp: strictestTlp(active.map((pulse) => pulse.TLP ?? '')) ?? 'CLEAR',
      reference: `https://otx.alienvault.com/indicator/${pageOf(indicator)}/${encodeURIComponent(indicator.value)}`,
    });
  },
});

function sectionOf({ type, value }: Indicator): string {
  switch (type) {
    case 'ipv4-addr':
      return 'IPv4';
    case 'ipv6-addr':
      return 'IPv6';
    case 'url':
      return 'url';
    case 'cve':
      return 'cve';
    case 'domain-name':
      return isRegisteredName(value) ? 'domain' : 'hostname';
    default:
      return 'file';
  }
}

function pageOf(indicator: Indicator): string {
  const section = sectionOf(indicator);
  return section.startsWith('IPv') ? 'ip' : section;
}

/** Two labels, or three where the second is one of a registry. A guess without the public suffix list; both sections know most names. */
function isRegisteredName(name: string): boolean {
  const labels = name.split('.');
  return labels.length <= 2 || (labels.length === 3 && REGISTRY_LABELS.has(labels[1] ?? '') && labels[2]?.length === 2);
}
