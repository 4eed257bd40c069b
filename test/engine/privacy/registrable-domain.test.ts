import { describe, expect, it } from 'vitest';
import { registrableDomain } from '../../../src/engine/privacy/registrable-domain.ts';
import { hasPublicSuffix } from '../../../src/extract/public-suffix.ts';

describe('registrable domain', () => {
  it.each([
    ['evil.com', true, 'evil.com'],
    ['login.evil.co.uk', true, 'evil.co.uk'],
    ['co.uk', true, null],
    ['com', true, null],
    ['victim.github.io', true, 'github.io'],
    ['a.b.kobe.jp', true, 'a.b.kobe.jp'],
    ['x.xn--p1ai', true, 'x.xn--p1ai'],
    ['abc.onion', true, 'abc.onion'],
    ['server.contoso', false, null],
    ['dc01.ad.acme-prod', false, null],
    ['localhost', false, null],
    ['x.local', false, null],
  ])('%s: public suffix %s, registered %s', (host, isPublic, domain) => {
    expect(hasPublicSuffix(host)).toBe(isPublic);
    expect(registrableDomain(host)).toBe(domain);
  });
});
