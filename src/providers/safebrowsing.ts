import * as z from 'zod/mini';
import type { Indicator } from '../model/indicator.ts';
import { sha256 } from '../model/formats/sha256.ts';
import type { Verdict } from '../model/verdict.ts';
import { apiUrl, errorText, refusal } from './reading/http-call.ts';
import { defineProvider, type HttpCall } from './provider.ts';
import { settingsOf } from './reading/provider-settings.ts';
import { verdictOf } from './reading/verdict-facts.ts';
import { lookupExpressions } from './reading/safebrowsing-url.ts';
import { wordTable } from '../model/tables/word-table.ts';

/** A URL has up to 30 prefixes of 25 bytes each in the query: more would make a URL that servers refuse. */
const MAX_BULK = 10;
const PREFIX_BYTES = 4;
const LISTED_CONFIDENCE = 95;

/** Score and category by threat type; types that we do not know are ignored, as the reference demands. */
const THREATS = wordTable<readonly [score: number, category: string]>({
  MALWARE: [95, 'malware'],
  SOCIAL_ENGINEERING: [95, 'phishing'],
  UNWANTED_SOFTWARE: [75, 'unwanted-software'],
  POTENTIALLY_HARMFUL_APPLICATION: [75, 'harmful-application'],
});

/** A listing that browsers enforce in frames only. */
const FRAME_ONLY_MAX_SCORE = 55;

const declare = settingsOf('safebrowsing');

const Settings = z.object({
  apiKey: declare.secret(
    'apiKey',
    'Google API key with Safe Browsing enabled. Google takes it in the URL; it is masked wherever the URL is shown.',
  ),
  baseUrl: declare.baseUrl('https://safebrowsing.googleapis.com'),
  version: declare.setting(
    'version',
    z._default(z.enum(['v5', 'v4']), 'v5'),
    'v5 sends 4 bytes of a hash, so that Google does not learn the URL; v4 sends the whole URL.',
  ),
});

type SafeBrowsingSettings = z.output<typeof Settings>;

const V4 = z.object({ matches: z.array(z.object({ threatType: z.string(), threat: z.object({ url: z.string() }) })) });

const V5 = z.strictObject({
  fullHashes: z.optional(
    z.array(
      z.object({
        fullHash: z.string(),
        fullHashDetails: z.optional(z.array(z.object({ threatType: z.string(), attributes: z.optional(z.array(z.string())) }))),
      }),
    ),
  ),
  cacheDuration: z.string(),
});

/** One listing of a URL. */
interface Listing {
  readonly threatType: string;
  readonly attributes?: readonly string[] | undefined;
}

/** Google Safe Browsing: whether a URL is on the list that browsers block by. Not being on it says nothing. */
export const safebrowsing = defineProvider({
  id: 'safebrowsing',
  title: 'Google Safe Browsing',
  docs: 'https://developers.google.com/safe-browsing/reference',
  types: ['url'],
  settings: Settings,
  concurrency: 4,
  cost: 0,
  maxTlp: 'GREEN',
  scale: `Listed as malware or social engineering: 95; unwanted software or harmful application: 75; listed for frames only: at most ${FRAME_ONLY_MAX_SCORE}, suspicious. Canary entries and unknown types are ignored. Not listed is never clean.`,
  terms: 'For non-commercial use; commercial users need Web Risk.',

  request: (indicator, settings) => ask([indicator], settings),

  judge({ status, body }) {
    const message = errorText(body, 'error', 'message');
    return status === 400 && message.includes('api key')
      ? refusal('unauthorized', 'safebrowsing', 'key refused: not valid for Safe Browsing')
      : undefined;
  },

  read: (body, indicator, { version }) => (version === 'v4' ? readV4(body, indicator) : readV5(body, indicator)),

  bulk: {
    maxSize: MAX_BULK,
    request: (indicators, settings) => ask(indicators, settings),
    read(body, indicators, { version }) {
      return new Map(
        indicators.map((indicator) => [indicator.value, version === 'v4' ? readV4(body, indicator) : readV5(body, indicator)]),
      );
    },
  },
});

function ask(indicators: readonly Indicator[], { apiKey, baseUrl, version }: SafeBrowsingSettings): HttpCall {
  const url = apiUrl(baseUrl, `/${version}`, '');
  // Google documents the key in the query only for this API.
  url.pathname += version === 'v4' ? 'threatMatches:find' : 'hashes:search';
  url.searchParams.set('key', apiKey);
  const secretQuery = ['key'];
  if (version === 'v5') {
    // Protocol buffers are the default of some front ends.
    url.searchParams.set('alt', 'json');
    for (const prefix of new Set(indicators.flatMap(hashesOf).map((hash) => base64(hash.subarray(0, PREFIX_BYTES)))))
      url.searchParams.append('hashPrefixes', prefix);
    return { url, headers: { accept: 'application/json' }, secretQuery };
  }
  const body = {
    client: { clientId: 'ismalicious-siem-pack', clientVersion: '1.0' },
    threatInfo: {
      threatTypes: [...THREATS.keys()],
      platformTypes: ['ANY_PLATFORM'],
      threatEntryTypes: ['URL'],
      threatEntries: indicators.map(({ value }) => ({ url: value })),
    },
  };
  return {
    url,
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify(body),
    secretQuery,
  };
}

function readV4(body: unknown, indicator: Indicator): Verdict | null {
  // A miss is `{}`; anything else without matches is no answer of this API.
  if (z.strictObject({}).safeParse(body).success) return null;
  const matches = V4.parse(body).matches.filter(({ threat }) => threat.url === indicator.value);
  return verdictOn(matches, indicator);
}

function readV5(body: unknown, indicator: Indicator): Verdict | null {
  const { fullHashes = [] } = V5.parse(body);
  // Four bytes are shared by many URLs: only an equal whole hash is about ours.
  const own = new Set(hashesOf(indicator).map(base64));
  return verdictOn(
    fullHashes.filter(({ fullHash }) => own.has(fullHash)).flatMap(({ fullHashDetails }) => fullHashDetails ?? []),
    indicator,
  );
}

function verdictOn(listings: readonly Listing[], indicator: Indicator): Verdict | null {
  const scored = listings
    .filter(({ attributes }) => !attributes?.includes('CANARY'))
    .map(({ threatType, attributes }) => ({ threat: THREATS.get(threatType), isFrameOnly: attributes?.includes('FRAME_ONLY') === true }))
    .flatMap(({ threat, isFrameOnly }) =>
      threat ? [{ score: isFrameOnly ? Math.min(threat[0], FRAME_ONLY_MAX_SCORE) : threat[0], category: threat[1] }] : [],
    );
  if (scored.length === 0) return null;
  const score = Math.max(...scored.map((entry) => entry.score));
  return verdictOf('safebrowsing', {
    verdict: score > FRAME_ONLY_MAX_SCORE ? 'malicious' : 'suspicious',
    score,
    confidence: LISTED_CONFIDENCE,
    categories: scored.map(({ category }) => category),
    attributes: score > FRAME_ONLY_MAX_SCORE ? [] : ['frame-only'],
    reference: `https://transparencyreport.google.com/safe-browsing/search?url=${encodeURIComponent(indicator.value)}`,
  });
}

function hashesOf(indicator: Indicator): Uint8Array[] {
  return lookupExpressions(indicator.value).map(sha256);
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
