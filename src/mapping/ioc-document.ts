import type { Enrichment } from '../model/enrichment.ts';
import type { Indicator, IndicatorType } from '../model/indicator.ts';
import { relatedListOf } from './ecs-indicator.ts';
import { maliciousFlag } from './ecs-roll-up.ts';
import { type ThreatEnrichment, toThreatEnrichment } from './ecs.ts';

/** How verdicts become indicator documents. */
export interface IocOptions {
  /** Digest of a text, in hex: document ids are made of it. */
  readonly digest: (text: string) => string;
  /** Now, milliseconds since 1970: the time of documents whose verdict has none of its own. */
  readonly nowMs: number;
  /** How long a malicious verdict holds after it was given, in days, by indicator type; a suspicious one holds half as long. Left out: the defaults. */
  readonly validDays?: Partial<Readonly<Record<IndicatorType, number>>>;
}

/** A document for `logs-ti_ismalicious.indicator-*`: what Elastic's indicator match rules, Intelligence page and flyout read. */
export interface IocDocument {
  /** Of the value alone: for an index in which the newest verdict replaces the one before. */
  readonly id: string;
  /** Of the value and its verdict's time: for a data stream, which takes no second document of one id. Sending it again does no harm. */
  readonly observationId: string;
  readonly document: IocFields;
}

/** Every member is in ECS 9.4 or under `ismalicious`. */
export interface IocFields {
  readonly '@timestamp': string;
  readonly ecs: { readonly version: string };
  readonly event: {
    readonly kind: 'enrichment';
    readonly category: readonly ['threat'];
    readonly type: readonly ['indicator'];
    readonly module: 'ti_ismalicious';
    readonly dataset: 'ti_ismalicious.indicator';
    readonly provider: 'isMalicious';
    readonly risk_score?: number;
  };
  readonly threat: {
    readonly indicator: ThreatEnrichment['indicator'] & { readonly modified_at: string };
    readonly feed: { readonly name: 'isMalicious'; readonly reference?: string };
  };
  readonly vulnerability?: { readonly id: readonly string[] };
  readonly related?: { readonly ip?: readonly string[]; readonly hosts?: readonly string[]; readonly hash?: readonly string[] };
  readonly labels: { readonly verdict: string; readonly tier: string };
  readonly tags: readonly string[];
  readonly ismalicious: Readonly<Record<string, unknown>>;
}

const ECS_VERSION = '9.4.0';
const DAY_MS = 86_400_000;

/** Addresses change hands within weeks, names within months; a file stays what it is. */
const VALID_DAYS: Readonly<Record<IndicatorType, number>> = {
  'ipv4-addr': 30,
  'ipv6-addr': 30,
  url: 30,
  'domain-name': 90,
  'email-addr': 90,
  'file:md5': 365,
  'file:sha1': 365,
  'file:sha256': 365,
  'file:sha512': 365,
  cve: 365,
};

/**
 * The indicator document of a verdict; `null` unless it is malicious or suspicious: rules take every document of these
 * indices for a threat, so that a clean value there would raise alerts.
 */
export function toIocDocument(enrichment: Enrichment, options: IocOptions): IocDocument | null {
  const { indicator, answer } = enrichment;
  const checkedAtMs = enrichment.checkedAtS === null ? options.nowMs : enrichment.checkedAtS * 1000;
  const checkedAt = new Date(checkedAtMs).toISOString();
  const match = { field: 'threat.indicator.name', occurred: checkedAt, type: null, digest: options.digest };
  const entry = toThreatEnrichment(enrichment, match);
  if (entry === null || indicator === null) return null;
  const id = options.digest(`${indicator.type}\n${indicator.value}`);
  const related = relatedOf(indicator);
  return {
    id,
    observationId: options.digest(`${id}\n${checkedAt}\n${answer.verdict}\n${answer.score ?? ''}`),
    document: {
      '@timestamp': checkedAt,
      ecs: { version: ECS_VERSION },
      event: {
        kind: 'enrichment',
        category: ['threat'],
        type: ['indicator'],
        module: 'ti_ismalicious',
        dataset: 'ti_ismalicious.indicator',
        provider: 'isMalicious',
        ...(answer.score !== null && { risk_score: answer.score }),
      },
      threat: {
        indicator: { ...entry.indicator, modified_at: checkedAt },
        feed: { name: 'isMalicious', ...(entry.indicator.reference !== undefined && { reference: entry.indicator.reference }) },
      },
      ...(indicator.type === 'cve' && { vulnerability: { id: [indicator.value] } }),
      ...(related !== null && { related }),
      labels: { verdict: answer.verdict, tier: answer.tier },
      tags: [...answer.categories],
      ismalicious: vendorFields(enrichment, checkedAt, expiryOf(indicator, enrichment, checkedAtMs, options)),
    },
  };
}

function relatedOf(indicator: Indicator): NonNullable<IocFields['related']> | null {
  const list = relatedListOf(indicator);
  return list === null ? null : { [list]: [indicator.value] };
}

/** What ECS has no field for, under our own name as all `ti_*` packages do it. */
function vendorFields({ answer, indicator, source }: Enrichment, checkedAt: string, expiresAt: string): Record<string, unknown> {
  const isMalicious = maliciousFlag(answer.verdict);
  return {
    verdict: answer.verdict,
    status: answer.status,
    ...(answer.score !== null && { score: answer.score }),
    ...(answer.confidence !== null && { confidence: answer.confidence }),
    categories: answer.categories,
    attributes: answer.attributes,
    tier: answer.tier,
    source,
    ...(isMalicious !== null && { malicious: isMalicious }),
    ...(indicator !== null && { indicator: indicator.value }),
    providers: answer.providers.filter(({ contribution }) => contribution > 0).map(({ provider }) => provider),
    checked_at: checkedAt,
    expires_at: expiresAt,
  };
}

/** Counted from when the verdict was given, not from when the value was last seen: it was confirmed then. */
function expiryOf(indicator: Indicator, { answer }: Enrichment, checkedAtMs: number, options: IocOptions): string {
  const days = options.validDays?.[indicator.type] ?? VALID_DAYS[indicator.type];
  const held = answer.verdict === 'malicious' ? days : days / 2;
  return new Date(checkedAtMs + held * DAY_MS).toISOString();
}
