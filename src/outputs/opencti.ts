import { wordTable } from '../model/tables/word-table.ts';
import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { uuid5 } from '../model/formats/stix-id.ts';
import { markdownText } from '../model/formats/markdown-text.ts';
import type { Indicator } from '../model/indicator.ts';
import { factsOf, isoS, isThreat, summaryOf } from './forms/item-summary.ts';
import { defineOutput, type OutputAnswer, type OutputItem, type OutputResult, type OutputStep } from './output.ts';
import { failureOf, retryAll } from './forms/read-answer.ts';

const setting = declareSettings('outputs.opencti');
const Settings = z.object({
  baseUrl: setting('baseUrl', endpoint(), 'Base URL of OpenCTI.'),
  apiKey: setting('apiKey', z.string().check(z.minLength(1)), 'OpenCTI token of a user who may create notes and sightings.', {
    secret: true,
  }),
  note: setting('note', z._default(z.boolean(), true), 'Add a note with what is known to the observable.'),
  sightedBy: setting(
    'sightedBy',
    z.optional(z.string().check(z.minLength(1))),
    'Id of the organisation or system in OpenCTI that saw what our alerts met; without it no sighting is written.',
  ),
});
type CtiSettings = z.output<typeof Settings>;

/** A change that is still to be made. */
interface Change {
  readonly query: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Finding the observable, or making one change after the other. */
type State = { readonly at: 'find' } | { readonly at: 'change'; readonly left: readonly Change[] };

const FIND = `query Observables($filters: FilterGroup) {
  stixCyberObservables(filters: $filters, first: 50) {
    edges { node { id observable_value ... on StixFile { hashes { hash } } ... on Artifact { hashes { hash } } } }
  }
}`;
const ADD_NOTE = 'mutation NoteAdd($input: NoteAddInput!) { noteAdd(input: $input) { id } }';
const ADD_SIGHTING = `mutation SightingAdd($input: StixSightingRelationshipAddInput!) {
  stixSightingRelationshipAdd(input: $input) { id }
}`;

const HASH_KEYS = wordTable<string>({
  'file:md5': 'hashes.MD5',
  'file:sha1': 'hashes.SHA-1',
  'file:sha256': 'hashes.SHA-256',
  'file:sha512': 'hashes.SHA-512',
});

const Found = z.object({
  data: z.object({
    stixCyberObservables: z.object({
      edges: z.array(
        z.object({
          node: z.object({
            id: z.string(),
            observable_value: z.string(),
            hashes: z.nullish(z.array(z.object({ hash: z.string() }))),
          }),
        }),
      ),
    }),
  }),
});
const Failure = z.object({
  errors: z
    .array(z.object({ message: z.nullish(z.string()), extensions: z.nullish(z.object({ code: z.nullish(z.string()) })) }))
    .check(z.minLength(1)),
});

/**
 * Notes and sightings in OpenCTI on what it has already; an observable that it does not have is not made. Neither note nor sighting is read
 * by our provider, and no score is changed there, so that nothing of it comes back as evidence.
 */
export const openctiOutput = defineOutput<typeof Settings, State>({
  id: 'opencti',
  title: 'OpenCTI notes and sightings',
  docs: 'https://docs.opencti.io/latest/reference/api/',
  settings: Settings,
  defaults: { tiers: ['p1', 'p2'], tellsTurns: true, dryRun: true },
  types: ['ipv4-addr', 'ipv6-addr', 'domain-name', 'url', 'file:md5', 'file:sha1', 'file:sha256', 'file:sha512', 'email-addr'],
  limits: () => ({ items: 1, bytes: 500_000 }),
  start: ([item], { settings }) => ({
    call: graphql(settings, FIND, { filters: filterOf(item?.indicator) }),
    state: { at: 'find' },
  }),
  read(answer, { state }, items, { settings, nowS }) {
    const [item] = items;
    const failure = failureIn(answer, items, nowS);
    if (failure || !item) return failure ?? {};
    if (state.at === 'change') return changeStep(state.left, items, settings);
    const wanted = item.indicator.value.toLowerCase();
    const node = Found.parse(answer.body).data.stixCyberObservables.edges.find(({ node: { observable_value: value, hashes } }) =>
      [value, ...(hashes ?? []).map(({ hash }) => hash)].some((one) => one.toLowerCase() === wanted),
    )?.node;
    // It has nothing that a note or a sighting could stand at.
    if (!node) return { duplicate: items };
    return changeStep(changesOf(item, node.id, settings), items, settings);
  },
});

function changeStep([change, ...left]: readonly Change[], items: readonly OutputItem[], settings: CtiSettings): OutputResult<State> {
  if (!change) return { delivered: items };
  return { next: { call: graphql(settings, change.query, { input: change.input }), state: { at: 'change', left } } };
}

function changesOf(item: OutputItem, observable: string, { note, sightedBy }: CtiSettings): Change[] {
  const content = factsOf(item).map(([name, text]) => `**${name}**: ${markdownText(text)}`);
  const seen = isoS(item.atS);
  // Their ids are made of the message's key: what is sent again is the same note, the same sighting.
  const noted = {
    stix_id: `note--${uuid5(`${item.key} note`)}`,
    attribute_abstract: summaryOf(item),
    content: content.join('\n\n'),
    objects: [observable],
  };
  const sighted = {
    stix_id: `sighting--${uuid5(`${item.key} sighting`)}`,
    fromId: observable,
    toId: sightedBy,
    description: summaryOf(item),
    first_seen: seen,
    last_seen: seen,
    attribute_count: 1,
  };
  const isSeen = item.event === 'triage' && isThreat(item) && sightedBy !== undefined;
  return [...(note ? [{ query: ADD_NOTE, input: noted }] : []), ...(isSeen ? [{ query: ADD_SIGHTING, input: sighted }] : [])];
}

/** GraphQL reports failures inside 200, newer servers inside 400. */
function failureIn(answer: OutputAnswer, items: readonly OutputItem[], nowS: number): OutputResult<State> | null {
  const { data: refused } = Failure.safeParse(answer.body);
  if (!refused || (answer.status >= 400 && answer.status !== 400)) return failureOf(answer, items, nowS);
  const code = refused.errors[0]?.extensions?.code ?? '';
  const reason = `OpenCTI: ${code} ${refused.errors[0]?.message ?? ''}`.trim().slice(0, 300);
  if (/^(AUTH_|UNAUTHENTICATED|FORBIDDEN)/.test(code)) return { halt: `${reason}: check the token and the rights of its user` };
  if (/TIMEOUT|DATABASE|INTERNAL|UNAVAILABLE|LOCK/.test(code)) return retryAll(items, reason);
  return { split: reason };
}

function filterOf(indicator: Indicator | undefined) {
  const key = HASH_KEYS.get(indicator?.type ?? '') ?? 'value';
  return { mode: 'and', filters: [{ key, values: [indicator?.value ?? ''], operator: 'eq', mode: 'or' }], filterGroups: [] };
}

function graphql({ baseUrl, apiKey }: CtiSettings, query: string, variables: unknown): OutputStep['call'] {
  return {
    kind: 'http',
    url: new URL(`${baseUrl.replace(/\/graphql$/, '')}/graphql`),
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  };
}
