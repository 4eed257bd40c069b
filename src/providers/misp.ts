import * as z from 'zod/mini';
import type { Indicator } from '../model/indicator.ts';
import { isOwnTag } from '../model/formats/own-export.ts';
import { isOwnInMisp, OWN_MISP_SOURCE } from '../model/formats/own-misp-event.ts';
import { isoTime, timeSpan } from '../model/formats/iso-time.ts';
import { strictestTlp } from '../model/tlp.ts';
import type { Verdict } from '../model/verdict.ts';
import { scoreOfCount } from './reading/score-curve.ts';
import { apiUrl, refusal } from './reading/http-call.ts';
import { defineProvider, type HttpCall } from './provider.ts';
import { settingsOf } from './reading/provider-settings.ts';
import { verdictOf, wordOfScore } from './reading/verdict-facts.ts';
import { threatCategories } from './reading/threat-words.ts';
import { wordTable } from '../model/tables/word-table.ts';

/** Attributes in one answer. A fuller answer may have dropped some, so nothing is called "not listed" from it. */
const MAX_ATTRIBUTES = 2000;
const MAX_BULK = 200;

/** More reports of a false positive than of a sighting hold the score below this. */
const DISPUTED_MAX_SCORE = 39;

/** Unlabelled events of a sharing group are shared within it at most. */
const DEFAULT_TLP = 'AMBER';

/** MISP taxonomy `misp`, predicate `confidence-level`. */
const CONFIDENCE_LEVELS = wordTable<number>({
  'completely-confident': 100,
  'usually-confident': 75,
  'fairly-confident': 50,
  'rarely-confident': 25,
  unconfident: 0,
});

const declare = settingsOf('misp');

const Settings = z.object({
  apiKey: declare.secret('apiKey', 'MISP automation key of a read-only user.'),
  baseUrl: declare.ownBaseUrl(),
  toIdsOnly: declare.setting(
    'toIdsOnly',
    z._default(z.boolean(), false),
    'Ask only for attributes marked for detection (to_ids). Off: the others are shown as context, without a score.',
  ),
  enforceWarninglist: declare.setting(
    'enforceWarninglist',
    z._default(z.boolean(), true),
    "Leave out values on your server's warning lists.",
  ),
  eventScores: declare.curve('eventScores', '1:70,3:80,10:90', 'Score by the number of events that mark the value for detection.'),
});

type MispSettings = z.output<typeof Settings>;

const Tags = z.nullish(z.array(z.object({ name: z.string() })));

const Attribute = z.object({
  event_id: z.string().check(z.regex(/^\d+$/)),
  category: z.string(),
  type: z.string(),
  to_ids: z.boolean(),
  timestamp: z.string(),
  value: z.string(),
  first_seen: z.nullish(z.string()),
  last_seen: z.nullish(z.string()),
  Tag: Tags,
  Event: z.nullish(z.object({ Tag: Tags, uuid: z.nullish(z.string()), info: z.nullish(z.string()) })),
  Sighting: z.nullish(z.array(z.object({ type: z.string(), source: z.nullish(z.string()) }))),
});

type MispAttribute = z.output<typeof Attribute>;

/** Older servers answer an empty array instead of an empty object. */
const Answer = z.object({ response: z.union([z.object({ Attribute: z.array(Attribute) }), z.array(z.never())]) });

/** MISP `restSearch`: what your own sharing communities wrote about a value. */
export const misp = defineProvider({
  id: 'misp',
  title: 'MISP',
  docs: 'https://www.misp-project.org/openapi/#tag/Attributes/operation/restSearchAttributes',
  types: ['ipv4-addr', 'ipv6-addr', 'domain-name', 'url', 'file:md5', 'file:sha1', 'file:sha256', 'file:sha512', 'email-addr', 'cve'],
  settings: Settings,
  concurrency: 4,
  cost: 0,
  maxTlp: 'AMBER+STRICT',
  scale: `Events that mark the value for detection (to_ids), on a saturating curve (1 → 70, 3 → 80, 10 → 90). Without to_ids it is context: unknown, no score. More false-positive reports than sightings hold it at ${DISPUTED_MAX_SCORE}. Malicious from 60.`,

  request: (indicator, settings) => restSearch([indicator], settings),

  read(body, indicator, settings) {
    const attributes = attributesOf(body);
    const verdict = verdictOn(indicator, attributes, settings);
    if (verdict === null && attributes.length >= MAX_ATTRIBUTES)
      throw refusal('bad_response', 'misp', `answer was cut at ${MAX_ATTRIBUTES} attributes`);
    return verdict;
  },

  bulk: {
    maxSize: MAX_BULK,
    request: (indicators, settings) => restSearch(indicators, settings),
    read(body, indicators, settings) {
      const attributes = attributesOf(body);
      const isWhole = attributes.length < MAX_ATTRIBUTES;
      const verdicts = indicators.map((indicator) => [indicator.value, verdictOn(indicator, attributes, settings)] as const);
      return new Map(isWhole ? verdicts : []);
    },
  },
});

function restSearch(indicators: readonly Indicator[], { apiKey, baseUrl, toIdsOnly, enforceWarninglist }: MispSettings): HttpCall {
  return {
    url: apiUrl(baseUrl, '', 'attributes', 'restSearch'),
    method: 'POST',
    headers: { authorization: apiKey, accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify({
      returnFormat: 'json',
      value: indicators.flatMap(spellings),
      ...(toIdsOnly ? { to_ids: true } : {}),
      enforceWarninglist,
      includeEventTags: true,
      includeSightings: true,
      limit: MAX_ATTRIBUTES,
      page: 1,
    }),
  };
}

/** A bare host URL is stored with and without its slash. */
function spellings({ type, value }: Indicator): string[] {
  return type === 'url' && /^[a-z]+:\/\/[^/]+\/$/.test(value) ? [value, value.slice(0, -1)] : [value];
}

function attributesOf(body: unknown): readonly MispAttribute[] {
  const { response } = Answer.parse(body);
  return Array.isArray(response) ? [] : response.Attribute;
}

function verdictOn(indicator: Indicator, all: readonly MispAttribute[], { baseUrl, eventScores }: MispSettings): Verdict | null {
  // MISP reads `%` as a wildcard and finds composites (`203.0.113.7|443`): only this very value counts.
  const wanted = new Set(spellings(indicator).map((text) => text.toLowerCase()));
  const attributes = all.filter(
    (attribute) =>
      !isOurs(attribute) &&
      (attribute.value.split('|').some((part) => wanted.has(part.trim().toLowerCase())) || wanted.has(attribute.value.toLowerCase())),
  );
  const [first] = attributes;
  if (!first) return null;
  const marked = attributes.filter(({ to_ids }) => to_ids);
  // What we attached to attributes of others says nothing that they said.
  const tags = attributes.flatMap(tagsOf).filter((tag) => !isOwnTag(tag));
  const sightings = attributes.flatMap(({ Sighting }) => Sighting ?? []).filter(({ source }) => source !== OWN_MISP_SOURCE);
  const isDisputed = sightings.filter(({ type }) => type === '1').length > sightings.filter(({ type }) => type === '0').length;
  const reported = scoreOfCount(new Set(marked.map(({ event_id }) => event_id)).size, eventScores);
  const score = isDisputed ? Math.min(reported, DISPUTED_MAX_SCORE) : reported;
  const isMarked = marked.length > 0;
  return verdictOf('misp', {
    verdict: isMarked ? wordOfScore(score) : 'unknown',
    score: isMarked ? score : null,
    confidence: isMarked ? confidenceOf(tags) : null,
    categories: isMarked ? threatCategories(tags) : [],
    attributes: [...(isDisputed ? ['disputed'] : []), ...(isMarked ? [] : ['context-only']), ...attributes.map(({ category }) => category)],
    sightings: attributes.length,
    firstSeen: timeSpan(attributes.map((attribute) => isoTime(attribute.first_seen))).first,
    lastSeen: timeSpan(attributes.map((attribute) => isoTime(attribute.last_seen ?? attribute.timestamp))).last,
    tlp: strictestTlp(tags.filter((tag) => /^tlp:/i.test(tag))) ?? DEFAULT_TLP,
    reference: `${baseUrl}/events/view/${first.event_id}`,
  });
}

/** Our own feedback is made of what others said: it never counts as one of them. */
function isOurs(attribute: MispAttribute): boolean {
  const { Event: event } = attribute;
  return isOwnInMisp({ eventUuid: event?.uuid ?? null, eventInfo: event?.info ?? null, tags: tagsOf(attribute) });
}

function tagsOf({ Tag, Event }: MispAttribute): string[] {
  return [...(Tag ?? []), ...(Event?.Tag ?? [])].map(({ name }) => name);
}

function confidenceOf(tags: readonly string[]): number | null {
  const levels = tags
    .map((tag) => CONFIDENCE_LEVELS.get(/^misp:confidence-level="(.+)"$/.exec(tag)?.[1] ?? ''))
    .filter((level) => level !== undefined);
  return levels.length > 0 ? Math.max(...levels) : null;
}
