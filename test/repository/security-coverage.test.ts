import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../support/fixtures.ts';

/** Larger files are archives and pictures. */
const MOST_BYTES = 2_000_000;
/** Licences under which packages may be shipped: all let us pass them on, with their notice, inside an Apache-2.0 program. */
const LICENCES = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'BlueOak-1.0.0',
  '0BSD',
  'CC0-1.0',
  'Unlicense',
]);

/** What keys look like. Each is written so that it does not match itself. */
const SECRETS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['private key', /-----BEGIN (?:RSA |EC |OPENSSH |ENCRYPTED )?PRIVATE KEY-----[\s\\n]+[A-Za-z0-9+/]{40}/],
  ['AWS access key', /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/],
  ['GitHub token', /\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_\w{60}/],
  ['GitLab token', /\bglpat-[\w-]{20}\b/],
  ['Slack token', /\bxox[abprs]-\d{8,}-[\w-]{10,}/],
  ['Slack webhook', /hooks\.slack\.com\/services\/T[A-Z0-9]{8,}\/B[A-Z0-9]{8,}\/[A-Za-z0-9]{24}\b/],
  ['Google key', /\bAIza[\w-]{35}\b/],
  ['npm token', /\bnpm_[A-Za-z0-9]{36}\b/],
  ['Stripe key', /\b[rs]k_live_[A-Za-z0-9]{24}/],
  ['JSON web token', /\beyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{20,}/],
  [
    'password in a URL',
    /\bhttps?:\/\/[\w.%-]+:(?!password@|secret|hunter|p%|pw@|pass|x@|\$)[^\s/@'"`{}<>$]{12,}@(?!example|127\.|localhost)[\w.-]+\.\w+/,
  ],
];

/** An id of Amazon's documentation in a recorded log line; it opens nothing. */
const KNOWN = new Set(['test/fixtures/events/message-only.json: AWS access key']);

const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: projectRoot, encoding: 'utf8' })
  .split('\0')
  .filter((path) => path !== '' && existsSync(join(projectRoot, path)));

function secretsIn(text: string): string[] {
  return SECRETS.filter(([, pattern]) => pattern.test(text)).map(([what]) => what);
}

interface Locked {
  readonly packages: Readonly<Record<string, { readonly license?: string; readonly dev?: boolean; readonly link?: boolean }>>;
}

/** Whether one of the licences that a package lets one choose from is among ours. */
function isAllowed(licence: string): boolean {
  return licence
    .replace(/^\(|\)$/g, '')
    .split(' OR ')
    .some((one) => LICENCES.has(one));
}

describe('what is tracked', () => {
  it('holds nothing that looks like a key', () => {
    const found = tracked
      .filter((path) => statSync(join(projectRoot, path)).size < MOST_BYTES)
      .flatMap((path) => secretsIn(readFileSync(join(projectRoot, path), 'utf8')).map((what) => `${path}: ${what}`))
      .filter((line) => !KNOWN.has(line));
    expect(found).toEqual([]);
  });

  it.each([
    ['private key', `-----BEGIN ${'PRIVATE'} KEY-----\n${'A'.repeat(64)}`],
    ['AWS access key', `AKIA${'ABCDEFGHIJKLMNOP'}`],
    ['GitHub token', `ghp_${'a1'.repeat(18)}`],
    ['npm token', `npm_${'a1'.repeat(18)}`],
    ['Slack token', `xoxb-${'123456789012'}-abcdefghijkl`],
    ['Google key', `AIza${'a'.repeat(35)}`],
    ['JSON web token', ['eyJ', '.eyJ', '.'].map((part) => part + 'a'.repeat(24)).join('')],
    ['password in a URL', `https://admin:${'S3cure-and-long'}@db.corp.net/`],
  ])('would be found out: %s', (what, text) => expect(secretsIn(text)).toEqual([what]));
});

describe('packages that are shipped', () => {
  const { packages } = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8')) as Locked;
  const shipped = Object.entries(packages).filter(([path, { dev, link }]) => path !== '' && dev !== true && link !== true);

  it('have a licence that lets us pass them on', () => {
    expect(shipped.length).toBeGreaterThan(50);
    expect(
      shipped.filter(([, { license }]) => !isAllowed(license ?? '')).map(([path, { license }]) => `${path}: ${license ?? 'none'}`),
    ).toEqual([]);
  });
  it('would be refused under another one', () => {
    expect(['GPL-3.0', 'AGPL-3.0-only', 'SSPL-1.0', '', 'UNLICENSED', 'MIT AND GPL-2.0'].filter(isAllowed)).toEqual([]);
    expect(isAllowed('(MIT OR EUPL-1.1+)')).toBe(true);
  });
});

describe('the OWASP API top 10 in docs/threat-model.md', () => {
  const rows = readFileSync(join(projectRoot, 'docs/threat-model.md'), 'utf8')
    .split('\n')
    .filter((line) => /^\| API\d+ /.test(line));

  it('has all ten', () => expect(rows.map((row) => /API\d+/.exec(row)?.[0])).toEqual(Array.from({ length: 10 }, (_, n) => `API${n + 1}`)));
  it.each(rows)('names tests that are there: %s', (row) => {
    const files = [...row.matchAll(/`(test\/[^`]+)`/g)].map(([, path]) => path ?? '');
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect([file, existsSync(join(projectRoot, file))]).toEqual([file, true]);
  });
});
