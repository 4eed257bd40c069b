import type { Answer, Enrichment, Status } from '../model/enrichment.ts';

/** An answer in the API shape of isMalicious: HTTP status, headers, body. */
export interface CheckAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

const LATER = { 'retry-after': '60' };

/** How the API says that it has no verdict, by our status. */
const FAILURES: Readonly<Record<Status, Pick<CheckAnswer, 'status' | 'headers' | 'body'>>> = {
  ok: { status: 404, headers: {}, body: { lookupStatus: 'unknown' } },
  stale: { status: 404, headers: {}, body: { lookupStatus: 'unknown' } },
  partial: { status: 503, headers: LATER, body: { error: 'Some sources gave no answer' } },
  pending: { status: 503, headers: LATER, body: { error: 'Still being worked out' } },
  invalid: { status: 400, headers: {}, body: { error: 'Invalid query' } },
  skipped_empty: { status: 400, headers: {}, body: { error: 'Invalid query' } },
  skipped_private: { status: 422, headers: {}, body: { error: 'Not looked up' } },
  skipped_allowlist: { status: 422, headers: {}, body: { error: 'Not looked up' } },
  skipped_tlp: { status: 422, headers: {}, body: { error: 'Not looked up' } },
  over_budget: { status: 429, headers: LATER, body: { error: 'Budget used up' } },
  rate_limited: { status: 429, headers: LATER, body: { error: 'Rate limit exceeded', retryAfter: 60 } },
  quota_exhausted: { status: 429, headers: {}, body: { error: 'Monthly quota exceeded' } },
  timeout: { status: 504, headers: {}, body: { error: 'No answer in time' } },
  unauthorized: { status: 401, headers: {}, body: { error: 'Unauthorized' } },
  unavailable: { status: 503, headers: LATER, body: { error: 'Unavailable' } },
  bad_response: { status: 502, headers: {}, body: { error: 'Bad answer from the source' } },
};

const NOT_LISTED = 'no source lists it: that is not the same as clean';

/**
 * Speaks isMalicious' own API. Scripts written for it read `malicious` and take anything but true for harmless: so only a verdict is
 * answered 200. What nobody knows, and what failed, is an HTTP error, which they handle already (the playbook's lookup prints `error`).
 */
export function toCheckAnswer(enrichment: Enrichment): CheckAnswer {
  const { answer } = enrichment;
  if (answer.verdict !== 'unknown') return { status: 200, headers: {}, body: toBody(enrichment) };
  const { status, headers, body } = FAILURES[answer.status];
  const message = answer.message ?? NOT_LISTED;
  return { status, headers, body: { ...body, message, errors: [message], status: answer.status } };
}

function toBody({ input, indicator, answer, source }: Enrichment): Record<string, unknown> {
  const accusing = answer.providers.filter(({ verdict }) => verdict === 'malicious' || verdict === 'suspicious');
  return {
    query: input,
    type: indicator?.type ?? null,
    malicious: answer.verdict === 'malicious',
    riskScore: { score: answer.score, level: levelOf(answer) },
    categories: answer.categories,
    confidenceScore: answer.confidence,
    sources: accusing.map(({ provider, categories }) => ({ name: provider, threatClass: 'threat', categories })),
    infrastructure: { attributes: answer.attributes },
    firstSeen: answer.firstSeen,
    lastSeen: answer.lastSeen,
    lookupStatus: 'found',
    verdict: answer.verdict,
    status: answer.status,
    tier: answer.tier,
    source,
  };
}

/** The API's words. Its clients read `high` of a listed indicator as malicious: a suspicious one stays below that. */
function levelOf({ verdict, score }: Answer): string {
  if (verdict === 'clean') return score === null || score === 0 ? 'safe' : 'low';
  if (score === null) return verdict === 'malicious' ? 'high' : 'medium';
  if (verdict === 'suspicious') return score >= 40 ? 'medium' : 'low';
  if (score >= 80) return 'critical';
  return score >= 60 ? 'high' : 'medium';
}
