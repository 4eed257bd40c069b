import type { EnrichmentJson } from '../../mapping/enrichment-json.ts';
import { toStixBundle, toStixObject, type StixObject } from '../../mapping/stix.ts';
import type { Answer } from '../../model/enrichment.ts';
import type { IndicatorType } from '../../model/indicator.ts';
import type { Row } from '../look-up/rank.ts';

/** A STIX 2.1 bundle of the rows that are indicators; those that stay here (private, allow-listed) are left out. */
export function toStixText(rows: readonly Row[]): string {
  const nowS = Math.floor(Date.now() / 1000);
  const objects = rows.flatMap(({ type, value, answer }) =>
    type === null || answer === null || /^(?:invalid|skipped_)/.test(answer.status) ? [] : [toObject({ type, value }, answer, nowS)],
  );
  return `${JSON.stringify(toStixBundle(objects), null, 2)}\n`;
}

function toObject({ type, value }: { type: string; value: string }, answer: EnrichmentJson, nowS: number): StixObject {
  const judgedS = secondsOf(answer.checked_at) ?? nowS;
  const seen = answer.providers.map(({ first_seen: first }) => secondsOf(first)).filter((first) => first !== null);
  return toStixObject({
    indicator: { type: type as IndicatorType, value },
    answer: answerOf(answer),
    tags: answer.attributes,
    sources: answer.providers.filter(({ status }) => status === 'ok').map(({ provider }) => provider),
    tlp: null,
    addedS: judgedS,
    judgedS,
    firstSeenS: Math.min(judgedS, ...seen),
    validUntilS: secondsOf(answer.expires_at),
    isRevoked: false,
  });
}

/** As much of an answer as the mapping reads. */
function answerOf(answer: EnrichmentJson): Answer {
  return {
    verdict: answer.verdict as Answer['verdict'],
    status: answer.status as Answer['status'],
    score: answer.score,
    confidence: answer.confidence,
    tier: answer.tier as Answer['tier'],
    autoResolve: answer.auto_resolve,
    categories: answer.categories,
    attributes: answer.attributes,
    sightings: null,
    firstSeen: null,
    lastSeen: null,
    reference: null,
    message: answer.message,
    providers: answer.providers.map((source) => ({
      provider: source.provider,
      status: source.status as Answer['providers'][number]['status'],
      verdict: 'unknown',
      score: source.score,
      confidence: source.confidence,
      categories: source.categories,
      attributes: [],
      sightings: source.sightings,
      firstSeen: source.first_seen,
      lastSeen: source.last_seen,
      reference: source.reference,
      contribution: source.contribution,
      message: source.message ?? null,
    })),
  };
}

function secondsOf(iso: string | null): number | null {
  const ms = iso === null ? NaN : Date.parse(iso);
  return Number.isFinite(ms) ? Math.floor(ms / 1000) : null;
}
