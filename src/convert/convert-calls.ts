import { type Change, type Converted, lineFinder, type Unconverted } from './conversion.ts';

/** The API's address as the vendor's pages give it, in a script or a filter. */
const API = /https:\/\/(?:api\.ismalicious\.com|(?:www\.)?ismalicious\.com\/api)(\/[\w/{}-]*)?/g;
/** What the sidecar answers in the API's own shape. */
const CHECK = '/check';

const SIDECAR = 'http://127.0.0.1:8787';
const IN_LOGSTASH = `\${ISMALICIOUS_SIDECAR_URL:${SIDECAR}}`;

const MEANING = [
  'the sidecar asks, caches and keeps to limits; the key is its own, what the caller sends as X-API-KEY is its token where one is set',
  'only a verdict is answered 200: what is not listed is 404, a private value 422, a failure another error; none of them reads as not malicious',
];
const LOGSTASH_MEANING = [
  ...MEANING,
  'put logstash/conf.d/30-playbook-guard.conf behind it: it takes away the literal %{…} that a miss leaves, and says unknown',
];

/** Rewrites the address of the vendor's API in the playbook's Logstash filter, or in any script, so that the sidecar is called. */
export function convertCalls(text: string, kind: 'logstash' | 'script'): Converted {
  const lineOf = lineFinder(text);
  const changes: Change[] = [];
  const unconverted: Unconverted[] = [];
  const base = kind === 'logstash' ? IN_LOGSTASH : SIDECAR;
  const out = text.replaceAll(API, (was, path: string | undefined, offset: number) => {
    const line = lineOf(offset);
    if (path !== undefined && path !== '/' && path !== CHECK) {
      unconverted.push({ line, text: was, reason: `the sidecar answers GET ${CHECK} in the API’s shape, not ${path}` });
      return was;
    }
    const is = `${base}${path ?? ''}`;
    changes.push({ line, was, is, meaning: kind === 'logstash' ? LOGSTASH_MEANING : MEANING });
    return is;
  });
  for (const { 0: found, index } of text.matchAll(/\bverify\s*=\s*False\b|ssl_verification_mode\s*=>\s*"none"|\bcurl\b[^\n]{0,200}\s-k\b/g))
    unconverted.push({ line: lineOf(index), text: found, reason: 'TLS is not verified here: take this out' });
  return { text: out, changes, unconverted };
}
