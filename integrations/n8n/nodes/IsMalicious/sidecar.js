'use strict';

const SLACK_MS = 5000;
const DEFAULT_TIMEOUT_MS = 20000;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const VERDICTS = new Set(['malicious', 'suspicious', 'clean', 'unknown']);
/** Only these carry a complete answer. */
const COMPLETE = new Set(['ok', 'stale']);

/** The address of the sidecar without a slash at its end; throws where a token would go over plain http to another machine. */
function baseUrlOf({ url, token }) {
  if (!URL.canParse(url) || !/^https?:/.test(url)) throw new Error('Set the URL of the credential to the address of the sidecar, like https://sidecar:8787.');
  const { protocol, hostname, host, username, password } = new URL(url);
  if (username !== '' || password !== '') throw new Error('Take the password out of the URL: a token goes into its own field.');
  if (token && protocol === 'http:' && !LOOPBACK.test(hostname))
    throw new Error(`The token is not sent over plain http to another machine: set the URL to https://${host}.`);
  return url.replace(/\/+$/, '');
}

/** Opens the way to the sidecar for one run of the node. */
async function openSidecar(context) {
  const baseUrl = baseUrlOf(await context.getCredentials('isMaliciousSidecarApi'));
  return async (path, body, timeoutMs = DEFAULT_TIMEOUT_MS) => {
    const request = { method: 'POST', url: `${baseUrl}${path}`, body, json: true, timeout: timeoutMs + SLACK_MS };
    const answer = await context.helpers.httpRequestWithAuthentication.call(context, 'isMaliciousSidecarApi', request);
    if (typeof answer !== 'object' || answer === null) throw new Error(`The sidecar answered ${path} not in its own form.`);
    return answer;
  };
}

/** By the settings never sent to a source, as a private address: it decides nothing. */
const LEFT_ALONE = new Set(['skipped_empty', 'skipped_private', 'skipped_allowlist']);

/** Where a look-up goes: 70 or more high, 40 to 69 medium, below 40 close, and only if the answer is complete; else an analyst reviews it. */
function routeOf({ verdict, status, score }) {
  if (LEFT_ALONE.has(status)) return 'none';
  if (typeof score === 'number' && score >= 70) return 'high';
  if (typeof score === 'number' && score >= 40) return 'medium';
  if (typeof score !== 'number' || verdict === 'unknown' || !COMPLETE.has(status)) return 'review';
  return verdict === 'clean' ? 'close' : 'medium';
}

/** One line for people. */
function noteOf(one) {
  const isKnown = one.verdict === 'malicious' || one.verdict === 'suspicious' || (one.verdict === 'clean' && COMPLETE.has(one.status));
  const score = typeof one.score === 'number' ? `score ${one.score}` : 'no score';
  const parts = [`${one.indicator} is ${isKnown ? one.verdict : 'unknown'}, ${score}, tier ${one.tier}`];
  if (!COMPLETE.has(one.status)) parts.push(`not a complete answer (${one.status}): this does not mean clean`);
  if (one.message) parts.push(one.message);
  return parts.join('; ');
}

/** An enrichment as an item: as the sidecar gives it, with route and note; throws for a verdict that this version does not know. */
function itemOf(one) {
  if (!VERDICTS.has(one?.verdict) || typeof one.status !== 'string')
    throw new Error('The sidecar answered with a verdict that this version does not know.');
  return { ...one, complete: COMPLETE.has(one.status), route: routeOf(one), note: noteOf(one) };
}

module.exports = { openSidecar, itemOf };
