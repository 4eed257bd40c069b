import type { Enrichment } from '../model/enrichment.ts';
import { defang } from '../model/defang.ts';
import { isoOfSeconds } from './iso-of-seconds.ts';
import { inertData } from './inert-data.ts';
import { meaningOf } from './meaning.ts';

const MAX_SHOWN = 200;
/** Texts of others with one answer. */
const MAX_TEXTS = 40;

/** Spells an answer for an assistant. `meaning`: in place of what its status means; values are defanged; whatever a provider wrote is inert and stands apart. */
export function judgedOf(enrichment: Enrichment, meaning?: string) {
  const { answer, indicator, source, checkedAtS } = enrichment;
  return {
    indicator: nameOf(enrichment),
    type: indicator?.type ?? null,
    verdict: answer.verdict,
    status: answer.status,
    meaning: meaning ?? meaningOf(answer),
    score: answer.score,
    confidence: answer.confidence,
    tier: answer.tier,
    answered_from: source,
    checked_at: checkedAtS === null ? null : isoOfSeconds(checkedAtS),
    sources: answer.providers.map(({ provider, status, verdict, score, contribution }) => ({
      provider: inertData(provider),
      status,
      verdict,
      score,
      points: contribution,
    })),
    third_party_text: textsOf(enrichment).slice(0, MAX_TEXTS),
  };
}

/** How a value is called: in a spelling that nothing turns into a link. */
export function nameOf({ indicator, input }: Pick<Enrichment, 'indicator' | 'input'>): string {
  return inertData(indicator === null ? input : defang(indicator), MAX_SHOWN);
}

function textsOf({ answer }: Enrichment): string[] {
  const { categories, attributes, message } = answer;
  return [
    ...(categories.length === 0 ? [] : [`categories: ${categories.join(', ')}`]),
    ...(attributes.length === 0 ? [] : [`attributes: ${attributes.join(', ')}`]),
    ...(message === null ? [] : [`message: ${message}`]),
    ...answer.providers.flatMap((one) => [
      ...(one.message === null || one.message === message ? [] : [`${one.provider}, message: ${one.message}`]),
      ...(one.reference === null ? [] : [`${one.provider}, page: ${one.reference}`]),
    ]),
  ].map((text) => inertData(text));
}
