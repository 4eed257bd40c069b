import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { JobError } from './job.mjs';

/** An answer that is longer than this is not read to its end. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** The sidecar keeps its own time limit; this much longer is waited for its answer. */
const SLACK_MS = 5000;
const DEFAULT_TIMEOUT_MS = 20_000;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Opens the way to a sidecar. A token goes over https, or over plain http to this machine. */
export function openSidecar(config, ca) {
  const url = parseUrl(config.url);
  const token = typeof config.token === 'string' && config.token !== '' ? config.token : null;
  if (token !== null && url.protocol === 'http:' && !LOOPBACK.test(url.hostname))
    throw new JobError(`The token is not sent over plain http to another machine: set "url" to https://${url.host}.`);
  const timeoutMs = Number.isInteger(config.timeout_ms) && config.timeout_ms > 0 ? config.timeout_ms : DEFAULT_TIMEOUT_MS;
  const call = (path, body) => send({ url: new URL(path.slice(1), url), token, ca, timeoutMs: timeoutMs + SLACK_MS }, body);
  return {
    lookup: (value, tlp) => call('/v1/lookup', { indicators: [value], timeout_ms: timeoutMs, explain: true, ...(tlp && { tlp }) }),
    extract: (text) => call('/v1/extract', { text, unique: true }),
    overrule: (said) => call('/v1/feedback', said),
    watch: (wanted) => call('/v1/watchlist', wanted),
  };
}

function parseUrl(text) {
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) throw new JobError('Set "url" to the address of the sidecar, like https://sidecar:8787.');
  if (url.username !== '' || url.password !== '') throw new JobError('Take the password out of "url": a token goes into "token".');
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

async function send(way, body) {
  const { status, text } = await post(way, JSON.stringify(body));
  const answer = parseAnswer(text);
  if (status >= 200 && status < 300 && answer !== null) return answer;
  if (status === 401 || status === 403) throw new JobError('The sidecar refused the token: set "token" to sidecar.token of its settings.');
  const message = answer?.error?.message;
  throw new JobError(`The sidecar answered ${status}${typeof message === 'string' ? `: ${message}` : ', and not in its own form'}.`);
}

function parseAnswer(text) {
  try {
    const answer = JSON.parse(text);
    return typeof answer === 'object' && answer !== null ? answer : null;
  } catch {
    return null;
  }
}

function post({ url, token, ca, timeoutMs }, body) {
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(token !== null && { authorization: `Bearer ${token}` }),
  };
  const start = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const fail = (why) => reject(new JobError(`The sidecar at ${url.host} gave no answer: ${why}.`));
    const signal = AbortSignal.timeout(timeoutMs);
    const request = start(url, { method: 'POST', headers, signal, ...(ca && { ca }) }, (response) => {
      const parts = [];
      let size = 0;
      response.on('data', (part) => {
        size += part.length;
        if (size > MAX_ANSWER_BYTES) request.destroy(new Error('it is longer than 16 MiB'));
        else parts.push(part);
      });
      response.on('error', (error) => fail(error.message));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }));
    });
    request.on('error', (error) => fail(signal.aborted ? `none within ${timeoutMs} ms` : error.message));
    request.end(body);
  });
}
