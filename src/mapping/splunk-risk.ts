import type { Enrichment } from '../model/enrichment.ts';
import type { IndicatorType } from '../model/indicator.ts';

/** A risk event of risk-based alerting: the internal entity is scored, the indicator is what threatened it. */
export interface RiskEvent {
  readonly risk_object: string;
  readonly risk_object_type: 'system' | 'user';
  readonly risk_score: number;
  readonly risk_message: string;
  readonly threat_object: string;
  readonly threat_object_type: string;
}

/** A row for a threat collection of Enterprise Security, with the headers of its local list. */
export interface ThreatIntelRow {
  readonly collection: 'ip_intel' | 'http_intel' | 'file_intel' | 'email_intel';
  readonly row: Readonly<Record<string, string | number>>;
}

/** Names of threat object types in Enterprise Security. */
const THREAT_OBJECT_TYPES: Readonly<Record<IndicatorType, string>> = {
  'ipv4-addr': 'ip_address',
  'ipv6-addr': 'ip_address',
  'domain-name': 'domain',
  url: 'url',
  'file:md5': 'file_hash',
  'file:sha1': 'file_hash',
  'file:sha256': 'file_hash',
  'file:sha512': 'file_hash',
  'email-addr': 'email_address',
  cve: 'vulnerability',
};

const USER_FIELD = /user|owner|recipient|sender|account/i;
const MAX_WEIGHT = 5;

/** The risk that an indicator means for the entity in `field`; `null`: nobody accuses it. */
export function toRiskEvent(enrichment: Enrichment, entity: { field: string; value: string }): RiskEvent | null {
  const { answer, indicator } = enrichment;
  if (indicator === null || answer.score === null || (answer.verdict !== 'malicious' && answer.verdict !== 'suspicious')) return null;
  return {
    risk_object: entity.value,
    risk_object_type: USER_FIELD.test(entity.field) ? 'user' : 'system',
    risk_score: answer.score,
    risk_message: `${entity.value} met ${indicator.value}, ${answer.verdict} with score ${answer.score}${categoryText(enrichment)}`,
    threat_object: indicator.value,
    threat_object_type: THREAT_OBJECT_TYPES[indicator.type],
  };
}

/** The indicator as a row of the threat collection for its type; `null`: only malicious ones with an answer go there, and there is no collection for vulnerabilities. */
export function toThreatIntelRow(enrichment: Enrichment): ThreatIntelRow | null {
  const { answer, indicator } = enrichment;
  if (indicator === null || answer.verdict !== 'malicious') return null;
  const description = `isMalicious: malicious, score ${answer.score ?? 'unknown'}${categoryText(enrichment)}`;
  const weight = answer.score === null ? 1 : Math.min(MAX_WEIGHT, Math.max(1, Math.ceil(answer.score / 20)));
  switch (indicator.type) {
    case 'ipv4-addr':
    case 'ipv6-addr':
      return { collection: 'ip_intel', row: { description, ip: indicator.value, weight } };
    case 'domain-name':
      return { collection: 'ip_intel', row: { description, domain: indicator.value, weight } };
    case 'url':
      return { collection: 'http_intel', row: { description, http_referrer: '', http_user_agent: '', url: indicator.value, weight } };
    case 'email-addr':
      return { collection: 'email_intel', row: { description, src_user: indicator.value, subject: '', weight } };
    case 'cve':
      return null;
    default:
      return { collection: 'file_intel', row: { description, file_hash: indicator.value, file_name: '', weight } };
  }
}

function categoryText({ answer }: Enrichment): string {
  return answer.categories.length === 0 ? '' : ` (${answer.categories.join(', ')})`;
}
