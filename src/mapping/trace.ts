import type { Enrichment, Origin, ProviderResult } from '../model/enrichment.ts';

/** Answer without anything being sent. */
const OWN_SOURCES: ReadonlySet<string> = new Set(['local', 'feedback']);

/**
 * Where an answer comes from, a word for each source, then the fingerprint of the settings in force (`settings=0f3a9c21b7de`): the id of the
 * request (`model/formats/request-id.ts`), or `otx!timeout` for who did not answer. Empty: no trace was asked for.
 */
export function toTrace({ answer, indicator, checkedAtS, trace }: Enrichment): readonly string[] {
  if (trace === undefined) return [];
  const { origins, tracer } = trace;
  const words = answer.providers.map((result) => {
    if (!hasAnswered(result)) return `${result.provider}!${result.status}`;
    const origin = origins?.find(({ provider }) => provider === result.provider);
    return tracer.idOf(origin ?? plainOrigin(result.provider, indicator?.value ?? null, checkedAtS ?? 0));
  });
  return [...words, `settings=${tracer.settings}`];
}

function hasAnswered({ status }: ProviderResult): boolean {
  return status === 'ok' || status === 'not_listed' || status === 'pending';
}

function plainOrigin(provider: string, value: string | null, checkedAtS: number): Origin {
  return { provider, checkedAtS, sent: OWN_SOURCES.has(provider) ? null : value };
}
