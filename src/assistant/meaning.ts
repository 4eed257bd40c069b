import type { Answer, Status } from '../model/enrichment.ts';

/** What follows from a status where there is no verdict: each says first that nothing is known, for that is what a hurried reader takes along. */
const UNKNOWN: Readonly<Record<Status, string>> = {
  ok: 'UNKNOWN, which is not clean: the sources that were asked do not list it, and that says nothing about it. Do not call it safe.',
  stale: 'UNKNOWN, which is not clean: the sources did not list it when they were asked last. Do not call it safe.',
  partial: 'UNKNOWN, which is not clean: part of the sources gave no answer, the others do not list it. Ask again before you decide.',
  pending: 'UNKNOWN, which is not clean: a source is still working on it. Ask again in a minute.',
  invalid: 'UNKNOWN: this is not an indicator that can be looked up, so no source was asked. That says nothing about it.',
  skipped_empty: 'UNKNOWN: there is no value to look up, so no source was asked.',
  skipped_private:
    'NOT LOOKED UP: a private or internal value never leaves this installation. That is not a verdict: an own machine can be compromised.',
  skipped_allowlist: 'NOT LOOKED UP: it is on an allow list of this house, so no source was asked. That is not a verdict of a source.',
  skipped_tlp: 'NOT LOOKED UP: its marking (TLP or PAP) forbids to send it. Nothing is known of it, which is not clean.',
  over_budget: 'UNKNOWN, which is not clean: it was not asked, for a budget is used up. See what is left with the resource quota.',
  rate_limited: 'UNKNOWN, which is not clean: the look-up FAILED, the source takes no more calls for now. Ask again later.',
  quota_exhausted: 'UNKNOWN, which is not clean: the look-up FAILED, the credits at the source are used up.',
  timeout: 'UNKNOWN, which is not clean: the look-up FAILED, no answer came in time. Ask again: late answers are kept.',
  unauthorized: 'UNKNOWN, which is not clean: the look-up FAILED, the source refuses our key. A person has to set a good one.',
  unavailable: 'UNKNOWN, which is not clean: the look-up FAILED, the source cannot be reached. Ask again later.',
  bad_response: 'UNKNOWN, which is not clean: the look-up FAILED, the source sent what cannot be read.',
};

/** One sentence on what an answer means, in words that no reader takes for clean when nobody said so. All of it is ours. */
export function meaningOf({ verdict, status, score }: Answer): string {
  if (verdict === 'unknown') return UNKNOWN[status];
  const of = score === null ? '' : `, score ${score} of 100`;
  const how = `${howWell(status)}`;
  if (verdict === 'malicious') return `MALICIOUS${of}${how}.`;
  if (verdict === 'suspicious') return `SUSPICIOUS${of}${how}. A person should look at it.`;
  return `CLEAN by what the sources that know it say${of}${how}. Do not take it for a guarantee.`;
}

function howWell(status: Status): string {
  if (status === 'ok') return '';
  if (status === 'stale') return '; the answer is an old one, for no newer one could be had';
  if (status === 'partial') return '; part of the sources gave no answer, so it can be worse';
  return `; the look-up is not complete (${status})`;
}
