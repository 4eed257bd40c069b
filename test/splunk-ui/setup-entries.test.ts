import { describe, expect, it } from 'vitest';
import { domainsFault, faultOf, linesOf, networksFault } from '../../splunk-ui/setup/validate.mts';
import type { Field } from '../../splunk-ui/setup/fields.mts';
import { setupForms } from '../../scripts/splunk-ui-forms.ts';
import { settingMeta, toSnakeCase } from '../../src/config/setting.ts';
import { loadProviders } from '../../src/providers/registry.ts';

const providers = await loadProviders();

function fieldOf(check: Field['check']): Field {
  return { key: 'x', kind: 'text', label: 'X', help: '', preset: '', check };
}

describe('what is typed on the setup page', () => {
  it.each([
    ['printable', '', true],
    ['printable', 'dGVzdDpzZWNyZXQ=', true],
    ['printable', ' dGVzdA== ', true],
    ['printable', 'two words', false],
    ['printable', 'schlüssel', false],
    ['endpoint', 'https://api.example.com', true],
    ['endpoint', 'https://api.example.com/prefix', true],
    ['endpoint', 'http://127.0.0.1:8787', true],
    ['endpoint', 'http://sidecar.example:8787', false],
    ['endpoint', 'https://user:secret@api.example.com', false],
    ['endpoint', 'https://api.example.com/?key=1', false],
    ['endpoint', 'api.example.com', false],
    ['proxy', 'http://proxy.example:3128', true],
    ['proxy', 'http://user:p%40ss@proxy.example:3128', true],
    ['proxy', 'proxy.example', false],
    ['proxy', 'socks5://proxy.example:1080', false],
    ['none', 'anything at all', true],
  ] as const)('%s: %j is taken: %j', (check, text, isTaken) => {
    expect(faultOf(fieldOf(check), text) === null).toBe(isTaken);
  });

  it('a refusal does not repeat what was typed: it may be a secret', () => {
    expect(faultOf(fieldOf('printable'), 'my secret key')).not.toContain('secret');
    expect(faultOf(fieldOf('endpoint'), 'https://user:hunter2@api.example.com')).not.toContain('hunter2');
  });

  it.each([
    ['example.com', true],
    ['example.com\nexample.org', true],
    ['example.com, example.org', true],
    ['EXAMPLE.com', true],
    ['', true],
    ['localhost', false],
    ['exa mple.com', false],
    ['https://example.com', false],
  ])('own domains %j are taken: %j', (text, isTaken) => {
    expect(domainsFault(text) === null).toBe(isTaken);
  });

  it.each([
    ['198.51.100.0/24', true],
    ['10.0.0.0/8\n2001:db8::/32', true],
    ['0.0.0.0/0', true],
    ['10.0.0.0/33', false],
    ['10.0.0.256/8', false],
    ['10.0.0.0', false],
    ['2001:db8::/129', false],
    ['2001:zz8::/32', false],
  ])('own networks %j are taken: %j', (text, isTaken) => {
    expect(networksFault(text) === null).toBe(isTaken);
  });

  it('lists are read by lines and commas, blanks left out', () => {
    expect(linesOf(' a.example ,b.example\n\n c.example')).toEqual(['a.example', 'b.example', 'c.example']);
  });
});

describe('what the setup page asks for', () => {
  const forms = setupForms();

  it('is every provider, in the order of the registry', () => {
    expect(forms.map(({ id }) => id)).toEqual(providers.map(({ id }) => id));
  });

  it('keeps every secret out of the conf file', () => {
    for (const provider of providers) {
      const fields = forms.find(({ id }) => id === provider.id)?.fields ?? [];
      for (const [name, schema] of Object.entries(provider.settings.shape)) {
        if (settingMeta.get(schema)?.secret) expect(fields.find(({ key }) => key === toSnakeCase(name))?.kind).toBe('secret');
      }
      expect(fields.find(({ key }) => key === 'proxy')?.kind).toBe('secret');
    }
  });

  it('has a field for everything a provider cannot do without', () => {
    for (const provider of providers) {
      const keys = forms.find(({ id }) => id === provider.id)?.fields.map(({ key }) => key);
      for (const [name, schema] of Object.entries(provider.settings.shape)) {
        if (!schema.safeParse(undefined).success) expect(keys).toContain(toSnakeCase(name));
      }
    }
  });
});
