import { JobError } from './job.mjs';

const NAMESPACE = 'isMalicious';
/** Only these carry a complete answer: a "clean" of any other says nothing. */
const COMPLETE = new Set(['ok', 'stale']);
/** Never sent to a provider, by the settings: no failure. */
const NOT_SENT = new Set(['skipped_empty', 'skipped_private', 'skipped_allowlist', 'skipped_tlp']);
const VERDICTS = new Set(['malicious', 'suspicious', 'clean', 'unknown']);
const TYPES = {
  'ipv4-addr': 'ip',
  'ipv6-addr': 'ip',
  'domain-name': 'domain',
  url: 'url',
  file: 'hash',
  'email-addr': 'mail',
};

/** Taxonomy level of an answer. What is unknown, partial or not sent is `info`: never `safe`. */
export function levelOf({ verdict, status }) {
  if (verdict === 'malicious' || verdict === 'suspicious') return verdict;
  return verdict === 'clean' && COMPLETE.has(status) ? 'safe' : 'info';
}

/** The enrichment in an answer of `/v1/lookup`; throws where it is missing, or where the look-up failed and no source said anything. */
export function enrichmentOf(answer) {
  const one = answer.enrichments?.[0];
  if (typeof one?.status !== 'string' || !VERDICTS.has(one.verdict)) throw new JobError('The sidecar answered without an enrichment.');
  const isAnswer = COMPLETE.has(one.status) || one.status === 'partial' || NOT_SENT.has(one.status);
  if (!isAnswer && one.verdict === 'unknown') throw new JobError(`No source answered (${one.status}): ${one.message ?? 'run the analyzer again later'}.`);
  return one;
}

/** The taxonomies of an answer: what was found, and that an answer is not complete. */
export function taxonomiesOf(one) {
  const level = levelOf(one);
  const score = typeof one.score === 'number' ? ` ${one.score}/100` : '';
  const taxonomy = (predicate, value, of = level) => ({ level: of, namespace: NAMESPACE, predicate, value });
  if (NOT_SENT.has(one.status)) return [taxonomy('Verdict', `not looked up (${one.status})`)];
  const isUnknown = one.verdict === 'unknown' || (one.verdict === 'clean' && level === 'info');
  const found = [taxonomy('Verdict', `${isUnknown ? 'unknown' : one.verdict}${score}`)];
  const sources = sourcesOf(one);
  if (sources !== null) found.push(taxonomy('Sources', sources, 'info'));
  if (typeof one.tier === 'string') found.push(taxonomy('Tier', one.tier, one.tier === 'p1' || one.tier === 'p2' ? level : 'info'));
  return found;
}

/** How many of the sources answered, where that is not all of them. */
function sourcesOf({ status, providers = [] }) {
  const count = (...statuses) => providers.filter((one) => statuses.includes(one.status)).length;
  if (status === 'partial') return `partial: ${count('ok', 'not_listed')} of ${providers.length} answered`;
  const kept = count('skipped_tlp');
  return kept === 0 ? null : `${providers.length - kept} of ${providers.length} asked: TLP`;
}

/** What can be looked into next: the host of a URL, the domain of a mail address. */
export function artifactsOf(one, tlp) {
  const note = { tlp, message: `From ${one.indicator}`, tags: ['isMalicious'] };
  if (one.type === 'url' && URL.canParse(one.indicator)) {
    const host = new URL(one.indicator).hostname.replaceAll(/[[\]]/g, '');
    const isAddress = /^[\d.]+$/.test(host) || host.includes(':');
    return host === '' ? [] : [{ dataType: isAddress ? 'ip' : 'domain', data: host, ...note }];
  }
  const at = one.type === 'email-addr' ? one.indicator.lastIndexOf('@') : -1;
  return at === -1 ? [] : [{ dataType: 'domain', data: one.indicator.slice(at + 1), ...note }];
}

/** The observables that a text holds. */
export function extractedArtifactsOf(answer, tlp) {
  if (!Array.isArray(answer.indicators)) throw new JobError('The sidecar answered without a list of indicators.');
  return answer.indicators.map(({ type, value, original }) => ({
    dataType: TYPES[type] ?? 'other',
    data: value,
    tlp,
    message: original === value ? 'Found in the text' : `Found in the text as ${original}`,
    tags: ['isMalicious'],
  }));
}
