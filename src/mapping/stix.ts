import type { Answer } from '../model/enrichment.ts';
import type { Indicator, IndicatorType } from '../model/indicator.ts';
import type { Tlp } from '../model/tlp.ts';
import type { VerdictWord } from '../model/verdict.ts';
import { isOwnTag, OWN_IDENTITY_ID, OWN_IDENTITY_NAME, ownLabels } from '../model/formats/own-export.ts';
import { uuid5 } from '../model/formats/stix-id.ts';

/** What is told about one indicator in STIX. Times are seconds since 1970 (UTC). */
export interface StixFacts {
  readonly indicator: Indicator;
  readonly answer: Answer;
  readonly tags: readonly string[];
  readonly sources: readonly string[];
  readonly tlp: Tlp | null;
  /** When we first knew it: `created`, and never changes. */
  readonly addedS: number;
  /** When it was last judged: `modified`. */
  readonly judgedS: number;
  readonly firstSeenS: number;
  /** From when nobody vouches for it; `null`: open. */
  readonly validUntilS: number | null;
  readonly isRevoked: boolean;
}

/** What every object of ours has, with only properties of the specification: strict parsers take it. */
interface StixCommon {
  readonly spec_version: '2.1';
  readonly created_by_ref: string;
  readonly created: string;
  readonly modified: string;
  readonly name: string;
  readonly description: string;
  readonly revoked?: true;
  readonly confidence?: number;
  readonly labels?: readonly string[];
  readonly object_marking_refs?: readonly string[];
}

/** A STIX 2.1 indicator (§4.7). */
export interface StixIndicator extends StixCommon {
  readonly type: 'indicator';
  readonly id: `indicator--${string}`;
  readonly indicator_types: readonly string[];
  readonly pattern: string;
  readonly pattern_type: 'stix';
  readonly pattern_version: '2.1';
  readonly valid_from: string;
  readonly valid_until?: string;
}

/** A STIX 2.1 vulnerability (§4.18): what a CVE id names can be seen in no event, so that no pattern tells it. */
export interface StixVulnerability extends StixCommon {
  readonly type: 'vulnerability';
  readonly id: `vulnerability--${string}`;
  readonly external_references: readonly { readonly source_name: 'cve'; readonly external_id: string }[];
}

/** What one of our indicators is in STIX. */
export type StixObject = StixIndicator | StixVulnerability;

/** TLP 2.0 marking definitions (OASIS, "STIX Best Practices", extension-definition--60a3c5c5-…). */
const TLP_MARKINGS: Readonly<Record<Tlp, string>> = {
  CLEAR: 'marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487',
  GREEN: 'marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb',
  AMBER: 'marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421',
  'AMBER+STRICT': 'marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003',
  RED: 'marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1',
};

const PATHS: Readonly<Record<Exclude<IndicatorType, 'cve'>, string>> = {
  'ipv4-addr': 'ipv4-addr:value',
  'ipv6-addr': 'ipv6-addr:value',
  'domain-name': 'domain-name:value',
  url: 'url:value',
  'file:md5': 'file:hashes.MD5',
  'file:sha1': "file:hashes.'SHA-1'",
  'file:sha256': "file:hashes.'SHA-256'",
  'file:sha512': "file:hashes.'SHA-512'",
  'email-addr': 'email-addr:value',
};

/** Terms of the open vocabulary `indicator-type-ov` (§10.7). */
const INDICATOR_TYPES: Readonly<Record<VerdictWord, string>> = {
  malicious: 'malicious-activity',
  suspicious: 'anomalous-activity',
  clean: 'benign',
  unknown: 'unknown',
};

const MAX_LABELS = 40;

/** Who we are in STIX: the author of every object. */
export const STIX_IDENTITY = {
  type: 'identity',
  spec_version: '2.1',
  id: OWN_IDENTITY_ID,
  created: '2026-11-21T00:00:00.000Z',
  modified: '2026-11-21T00:00:00.000Z',
  name: OWN_IDENTITY_NAME,
  identity_class: 'system',
} as const;

/** Maps a judged indicator; the same indicator has the same id for ever, so that sending it again replaces it. */
export function toStixObject(facts: StixFacts): StixObject {
  const { type, value } = facts.indicator;
  return type === 'cve' ? toStixVulnerability(facts, value) : toStixIndicator(facts, type);
}

function toStixIndicator(facts: StixFacts, type: keyof typeof PATHS): StixIndicator {
  const { indicator, answer } = facts;
  // The end has to lie after the start (§4.7), whatever feeds claim.
  const validUntilS = facts.validUntilS !== null && facts.validUntilS > facts.firstSeenS ? facts.validUntilS : null;
  return {
    type: 'indicator',
    id: `indicator--${uuid5(`${type}:${indicator.value}`)}`,
    ...commonOf(facts),
    indicator_types: [INDICATOR_TYPES[answer.verdict]],
    pattern: `[${PATHS[type]} = '${indicator.value.replace(/[\\']/g, (char) => `\\${char}`)}']`,
    pattern_type: 'stix',
    pattern_version: '2.1',
    valid_from: timestamp(facts.firstSeenS),
    ...(validUntilS === null ? {} : { valid_until: timestamp(validUntilS) }),
  };
}

function toStixVulnerability(facts: StixFacts, cve: string): StixVulnerability {
  return {
    type: 'vulnerability',
    id: `vulnerability--${uuid5(`cve:${cve}`)}`,
    ...commonOf(facts),
    external_references: [{ source_name: 'cve', external_id: cve }],
  };
}

function commonOf(facts: StixFacts): StixCommon {
  const { indicator, answer } = facts;
  const labels = [
    // What we said before, or another installation said, is not today's answer.
    ...new Set([...answer.categories, ...facts.tags.filter((tag) => !isOwnTag(tag)), ...ownLabels(answer, answer.tier)]),
  ].slice(-MAX_LABELS);
  return {
    spec_version: '2.1',
    created_by_ref: STIX_IDENTITY.id,
    created: timestamp(facts.addedS),
    modified: timestamp(Math.max(facts.judgedS, facts.addedS)),
    name: indicator.value.slice(0, 1024),
    description: describe(facts),
    ...(facts.isRevoked ? { revoked: true as const } : {}),
    ...(answer.confidence === null ? {} : { confidence: answer.confidence }),
    labels,
    ...(facts.tlp === null ? {} : { object_marking_refs: [TLP_MARKINGS[facts.tlp]] }),
  };
}

/** A bundle of objects with their author; the same objects give the same bundle id. */
export function toStixBundle(objects: readonly StixObject[]) {
  const name = objects.map(({ id, modified }) => `${id} ${modified}`).join('\n');
  return { type: 'bundle', id: `bundle--${uuid5(`bundle:${name}`)}`, objects: [STIX_IDENTITY, ...objects] } as const;
}

function describe({ answer, sources }: StixFacts): string {
  const score = answer.score === null ? 'no score' : `score ${answer.score}`;
  const said = answer.providers
    .filter(({ contribution }) => contribution > 0)
    .map(({ provider, contribution }) => `${provider} ${contribution}`);
  return [
    `${answer.verdict}, ${score}, tier ${answer.tier}`,
    said.length > 0 ? `contributions: ${said.join(', ')}` : '',
    sources.length > 0 ? `listed by ${sources.join(', ')}` : '',
  ]
    .filter((part) => part !== '')
    .join('; ');
}

function timestamp(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
