import * as z from 'zod/mini';
import type { Indicator } from '../model/indicator.ts';
import { timeSpan } from '../model/formats/iso-time.ts';
import { LOOKUP_ERROR_CODES } from '../model/lookup-error.ts';
import { VERDICT_WORDS, type Verdict } from '../model/verdict.ts';
import { apiUrl, refusal } from './reading/http-call.ts';
import { defineProvider, type HttpCall } from './provider.ts';
import { settingsOf } from './reading/provider-settings.ts';
import { verdictOf } from './reading/verdict-facts.ts';

const MAX_BULK = 500;

const declare = settingsOf('remote');

const Settings = z.object({
  apiKey: declare.optionalSecret('apiKey', 'Token of the sidecar, sent as a bearer token, if it asks for one.'),
  baseUrl: declare.baseUrl('http://127.0.0.1:8787'),
});

type RemoteSettings = z.output<typeof Settings>;

const Percent = z.nullable(z.number().check(z.gte(0), z.lte(100)));
const Text = z.nullish(z.string());

const Enrichment = z.object({
  indicator: z.nullable(z.string()),
  verdict: z.enum(VERDICT_WORDS),
  status: z.string(),
  score: Percent,
  confidence: Percent,
  categories: z.array(z.string()),
  attributes: z.array(z.string()),
  message: Text,
  providers: z.array(
    z.object({
      provider: z.string(),
      status: z.string(),
      sightings: z.nullish(z.number()),
      first_seen: Text,
      last_seen: Text,
      reference: Text,
    }),
  ),
});

type RemoteEnrichment = z.output<typeof Enrichment>;

const Answer = z.object({ enrichments: z.array(Enrichment) });

/** Another sidecar of this pack: its cache, keys and limits serve this host too. Its merged score is taken as it is. */
export const remote = defineProvider({
  id: 'remote',
  title: 'Another sidecar',
  docs: 'https://ismalicious.com/playbooks/siem-enrichment-ismalicious-api',
  types: ['ipv4-addr', 'ipv6-addr', 'domain-name', 'url', 'file:md5', 'file:sha1', 'file:sha256', 'file:sha512', 'email-addr', 'cve'],
  settings: Settings,
  concurrency: 8,
  cost: 0,
  maxTlp: 'GREEN',
  scale:
    'The merged score, confidence and verdict of the other sidecar, unchanged; clean only where its answer was whole. What it failed at is a failure here too.',

  request: (indicator, settings) => lookup([indicator], settings),

  read(body, indicator) {
    const { enrichments } = Answer.parse(body);
    const [answer] = enrichments;
    if (enrichments.length !== 1 || !answer) throw refusal('bad_response', 'remote', `${enrichments.length} answers to one question`);
    return verdictOn(answer, indicator);
  },

  bulk: {
    maxSize: MAX_BULK,
    request: (indicators, settings) => lookup(indicators, settings),
    read(body, indicators) {
      const { enrichments } = Answer.parse(body);
      if (enrichments.length !== indicators.length)
        throw refusal('bad_response', 'remote', `${enrichments.length} answers to ${indicators.length} questions`);
      const verdicts = new Map<string, Verdict | null>();
      for (const [n, indicator] of indicators.entries()) {
        const answer = enrichments[n];
        // One that failed is left out and asked alone, so that its failure has its own code.
        if (answer && !isFailure(answer)) verdicts.set(indicator.value, verdictOn(answer, indicator));
      }
      return verdicts;
    },
  },
});

function lookup(indicators: readonly Indicator[], { apiKey, baseUrl }: RemoteSettings): HttpCall {
  return {
    url: apiUrl(baseUrl, '/v1', 'lookup'),
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json', ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
    body: JSON.stringify({ indicators: indicators.map(({ value }) => value) }),
  };
}

function isFailure({ status }: RemoteEnrichment): boolean {
  return LOOKUP_ERROR_CODES.some((code) => code === status);
}

function verdictOn(answer: RemoteEnrichment, indicator: Indicator): Verdict | null {
  const code = LOOKUP_ERROR_CODES.find((known) => known === answer.status);
  if (code) throw refusal(code, 'remote', answer.message?.slice(0, 200) ?? `the other sidecar says ${code}`);
  if (answer.indicator !== indicator.value) throw refusal('bad_response', 'remote', 'answered about another value than the one asked for');
  const known = answer.providers.filter(({ status }) => status === 'ok');
  // Everybody was asked and nobody lists it; a skipped or unfinished look-up is not that.
  if (answer.status === 'ok' && answer.verdict === 'unknown' && answer.score === null && known.length === 0) return null;
  const sightings = known.map((provider) => provider.sightings).filter((count) => count !== null && count !== undefined);
  // Cleared by an answer that was not whole (some providers failed, or it is old): that clears nobody here.
  const isUnproven = answer.verdict === 'clean' && answer.status !== 'ok';
  return verdictOf('remote', {
    verdict: isUnproven ? 'unknown' : answer.verdict,
    score: isUnproven ? null : answer.score,
    confidence: answer.confidence,
    categories: answer.categories,
    attributes: answer.attributes,
    sightings: sightings.length > 0 ? sightings.reduce((sum, count) => sum + count, 0) : null,
    firstSeen: timeSpan(known.map((provider) => provider.first_seen ?? null)).first,
    lastSeen: timeSpan(known.map((provider) => provider.last_seen ?? null)).last,
    reference: known.map((provider) => provider.reference).find((page) => page?.startsWith('https://')) ?? null,
    isPending: answer.status !== 'ok' && !answer.status.startsWith('skipped_'),
  });
}
