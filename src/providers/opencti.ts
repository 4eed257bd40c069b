import * as z from 'zod/mini';
import type { Indicator, IndicatorType } from '../model/indicator.ts';
import { isOwnMark, isOwnTag, OWN_IDENTITY_NAME } from '../model/formats/own-export.ts';
import { isoTime } from '../model/formats/iso-time.ts';
import { strictestTlp } from '../model/tlp.ts';
import type { Verdict } from '../model/verdict.ts';
import { apiUrl, refusal } from './reading/http-call.ts';
import { defineProvider, type HttpCall } from './provider.ts';
import { settingsOf } from './reading/provider-settings.ts';
import { verdictOf, wordOfScore } from './reading/verdict-facts.ts';
import { threatCategories } from './reading/threat-words.ts';
import { verdictOnVulnerability, VULNERABILITIES, vulnerabilitiesOf, vulnerabilityFilter } from './reading/opencti-vulnerability.ts';

const MAX_BULK = 100;
const MAX_NODES = 500;

/** OpenCTI scores every observable, 50 by default. Without an indicator that says "this is bad" it was only seen: at most suspicious. */
const SEEN_MAX_SCORE = 59;

/** Unmarked knowledge of your own platform stays within the organisation and its clients. */
const DEFAULT_TLP = 'AMBER';

const HASH_KEYS: Readonly<Partial<Record<IndicatorType, string>>> = {
  'file:md5': 'hashes.MD5',
  'file:sha1': 'hashes.SHA-1',
  'file:sha256': 'hashes.SHA-256',
  'file:sha512': 'hashes.SHA-512',
};

const OBSERVABLES = `stixCyberObservables(filters: $filters, first: $first) {
    edges { node {
      id entity_type observable_value x_opencti_score created_at updated_at
      objectLabel { value } objectMarking { definition }
      ... on StixFile { hashes { algorithm hash } }
      ... on Artifact { hashes { algorithm hash } }
      indicators { edges { node { id name x_opencti_score valid_until revoked objectLabel { value } createdBy { ... on Identity { name } } } } }
    } }
    pageInfo { hasNextPage }
  }`;

const QUERY = `query Observables($filters: FilterGroup, $first: Int) {
  ${OBSERVABLES}
}`;
const QUERY_BOTH = `query Known($filters: FilterGroup, $names: FilterGroup, $first: Int) {
  ${OBSERVABLES}
  ${VULNERABILITIES}
}`;
const QUERY_VULNERABILITIES = `query Vulnerabilities($names: FilterGroup, $first: Int) {
  ${VULNERABILITIES}
}`;

const declare = settingsOf('opencti');

const Settings = z.object({
  apiKey: declare.secret('apiKey', 'OpenCTI token of a read-only user.'),
  baseUrl: declare.ownBaseUrl(),
});

type OpenctiSettings = z.output<typeof Settings>;

const Score = z.nullish(z.number().check(z.gte(0), z.lte(100)));

const Node = z.object({
  id: z.string().check(z.regex(/^[\w-]{1,128}$/)),
  entity_type: z.string(),
  observable_value: z.string(),
  x_opencti_score: Score,
  created_at: z.nullish(z.string()),
  updated_at: z.nullish(z.string()),
  objectLabel: z.nullish(z.array(z.object({ value: z.string() }))),
  objectMarking: z.nullish(z.array(z.object({ definition: z.nullish(z.string()) }))),
  hashes: z.nullish(z.array(z.object({ hash: z.string() }))),
  indicators: z.nullish(
    z.object({
      edges: z.array(
        z.object({
          node: z.object({
            x_opencti_score: Score,
            revoked: z.nullish(z.boolean()),
            objectLabel: z.nullish(z.array(z.object({ value: z.string() }))),
            createdBy: z.nullish(z.object({ name: z.nullish(z.string()) })),
          }),
        }),
      ),
    }),
  ),
});

type ObservableNode = z.output<typeof Node>;

const Answer = z.object({
  data: z.object({
    stixCyberObservables: z.object({
      edges: z.array(z.object({ node: Node })),
      pageInfo: z.nullish(z.object({ hasNextPage: z.boolean() })),
    }),
  }),
});

const Failure = z.object({
  errors: z
    .array(z.object({ message: z.nullish(z.string()), extensions: z.nullish(z.object({ code: z.nullish(z.string()) })) }))
    .check(z.minLength(1)),
});

/** OpenCTI: what your own threat intelligence platform knows about a value. */
export const opencti = defineProvider({
  id: 'opencti',
  title: 'OpenCTI',
  docs: 'https://docs.opencti.io/latest/reference/api/',
  types: ['ipv4-addr', 'ipv6-addr', 'domain-name', 'url', 'file:md5', 'file:sha1', 'file:sha256', 'file:sha512', 'email-addr', 'cve'],
  settings: Settings,
  concurrency: 4,
  cost: 0,
  maxTlp: 'AMBER+STRICT',
  weight: 0.9,
  scale: `The highest score among its indicators that are not revoked. An observable without such an indicator was only seen: its own score, at most ${SEEN_MAX_SCORE}. Malicious from 60, suspicious from 25. A vulnerability that it knows is unknown, without a score: that is not an accusation.`,

  request: (indicator, settings) => graphql([indicator], settings),

  judge({ status, body }) {
    // GraphQL reports failures inside 200 (and newer servers inside 400), with or without some data beside them: half an answer is none.
    const failure = Failure.safeParse(body);
    if (!failure.success || (status >= 400 && status !== 400 && status !== 422)) return undefined;
    const code = failure.data.errors[0]?.extensions?.code ?? 'no code';
    if (/^(AUTH_|UNAUTHENTICATED|FORBIDDEN)/.test(code)) return refusal('unauthorized', 'opencti', `token refused (${code.slice(0, 40)})`);
    if (/TIMEOUT|DATABASE|INTERNAL|UNAVAILABLE|LOCK/.test(code))
      return refusal('unavailable', 'opencti', `server failed (${code.slice(0, 40)})`);
    return refusal('bad_response', 'opencti', `query refused (${code.slice(0, 40)}): the server may be of another version`);
  },

  read: (body, indicator, settings) => readAnswer(body, [indicator]).verdictOn(indicator, settings),

  bulk: {
    maxSize: MAX_BULK,
    request: (indicators, settings) => graphql(indicators, settings),
    read(body, indicators, settings) {
      const answer = readAnswer(body, indicators);
      return new Map(
        answer.isWhole ? indicators.map((indicator) => [indicator.value, answer.verdictOn(indicator, settings)] as const) : [],
      );
    },
  },
});

function graphql(indicators: readonly Indicator[], { apiKey, baseUrl }: OpenctiSettings): HttpCall {
  const cves = indicators.filter(isVulnerability);
  const observables = indicators.filter((indicator) => !isVulnerability(indicator));
  const query = cves.length === 0 ? QUERY : observables.length === 0 ? QUERY_VULNERABILITIES : QUERY_BOTH;
  return {
    url: apiUrl(baseUrl, '/graphql'),
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify({
      query,
      variables: {
        ...(observables.length > 0 && { filters: observableFilter(observables) }),
        ...(cves.length > 0 && { names: vulnerabilityFilter(cves) }),
        first: MAX_NODES,
      },
    }),
  };
}

function observableFilter(observables: readonly Indicator[]) {
  const keys = Map.groupBy(observables, ({ type }) => HASH_KEYS[type] ?? 'value');
  const filters = Array.from(keys, ([key, group]) => ({ key, values: group.map(({ value }) => value), operator: 'eq', mode: 'or' }));
  return { mode: filters.length > 1 ? 'or' : 'and', filters, filterGroups: [] };
}

function isVulnerability({ type }: Indicator): boolean {
  return type === 'cve';
}

/** What an answer says of those that were asked about: each kind has a list of its own in it. */
function readAnswer(body: unknown, asked: readonly Indicator[]) {
  const none = { nodes: [], isWhole: true };
  const observables = asked.every(isVulnerability) ? none : nodesOf(body);
  const vulnerabilities = asked.some(isVulnerability) ? vulnerabilitiesOf(body) : none;
  return {
    isWhole: observables.isWhole && vulnerabilities.isWhole,
    verdictOn: (indicator: Indicator, settings: OpenctiSettings): Verdict | null =>
      isVulnerability(indicator)
        ? verdictOnVulnerability(indicator, vulnerabilities.nodes, { page: pageOf(settings), defaultTlp: DEFAULT_TLP })
        : verdictOn(indicator, observables.nodes, settings),
  };
}

/** Where people read it. */
function pageOf({ baseUrl }: OpenctiSettings): string {
  return baseUrl.replace(/\/graphql$/, '');
}

function nodesOf(body: unknown): { readonly nodes: readonly ObservableNode[]; readonly isWhole: boolean } {
  const { edges, pageInfo } = Answer.parse(body).data.stixCyberObservables;
  return { nodes: edges.map(({ node }) => node), isWhole: pageInfo?.hasNextPage !== true };
}

function verdictOn(indicator: Indicator, nodes: readonly ObservableNode[], settings: OpenctiSettings): Verdict | null {
  const wanted = indicator.value.toLowerCase();
  const node = nodes.find(({ observable_value, hashes }) =>
    [observable_value, ...(hashes ?? []).map(({ hash }) => hash)].some((value) => value.toLowerCase() === wanted),
  );
  if (!node) return null;
  const all = (node.indicators?.edges ?? []).map((edge) => edge.node);
  const foreign = all.filter((one) => !isOurs(one));
  const labels = (node.objectLabel ?? []).map(({ value }) => value);
  // It knows the value from us alone: that is our own word, by way of TAXII.
  if (foreign.length === 0 && labels.some(isOwnMark)) return null;
  const active = foreign.filter(({ revoked }) => revoked !== true);
  const scores = active.map(({ x_opencti_score }) => x_opencti_score).filter((score) => score !== null && score !== undefined);
  // Beside an indicator of ours the score of the observable may be ours as well.
  const own = foreign.length < all.length ? null : node.x_opencti_score;
  const seen = own === null || own === undefined ? null : Math.min(own, SEEN_MAX_SCORE);
  const score = scores.length > 0 ? Math.max(...scores) : seen;
  const words = labels.filter((label) => !isOwnTag(label));
  return verdictOf('opencti', {
    verdict: score === null ? 'unknown' : wordOfScore(score),
    score,
    categories: threatCategories(words),
    attributes: [...(active.length > 0 ? [] : ['observed-only']), ...words.filter((label) => threatCategories([label]).length === 0)],
    sightings: active.length,
    firstSeen: isoTime(node.created_at),
    lastSeen: isoTime(node.updated_at),
    tlp: strictestTlp((node.objectMarking ?? []).map(({ definition }) => definition ?? '')) ?? DEFAULT_TLP,
    reference: `${pageOf(settings)}/dashboard/observations/observables/${node.id}`,
  });
}

function isOurs({ objectLabel, createdBy }: NonNullable<ObservableNode['indicators']>['edges'][number]['node']): boolean {
  return createdBy?.name === OWN_IDENTITY_NAME || (objectLabel ?? []).some(({ value }) => isOwnMark(value));
}
