import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { PROVIDERS_DOC, renderProvidersDoc } from '../../scripts/generate/providers-doc.ts';
import { customProviders } from '../../src/providers/custom.ts';
import { loadProviders } from '../../src/providers/registry.ts';
import { projectRoot } from '../support/fixtures.ts';

const providers = await loadProviders();

const page = readFileSync(join(projectRoot, PROVIDERS_DOC), 'utf8');

it('docs/providers.md is what the registry says: `node scripts/generate/providers-doc.ts` makes it anew', () => {
  expect(page).toBe(renderProvidersDoc());
});

it('every link inside the page leads to a heading', () => {
  const anchors = Array.from(page.matchAll(/^## (.*)$/gm), ([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
  const links = Array.from(page.matchAll(/\]\(#(.*?)\)/g), ([, link]) => link);
  expect(anchors).toEqual(expect.arrayContaining(links));
  expect(links).toHaveLength(providers.length);
});

it('shows no default of a secret', () => {
  expect(page).not.toMatch(/api_key` \| `[A-Z_]+` \| `/);
});

it('the declaration in docs/custom-providers.md works as it stands', () => {
  const text = readFileSync(join(projectRoot, 'docs/custom-providers.md'), 'utf8');
  const yaml = parse(/```yaml\n([\s\S]*?)```/.exec(text)![1]!) as { providers: { custom: unknown[] } };
  const [provider] = customProviders(yaml.providers.custom);
  expect(provider).toMatchObject({ id: 'acme_ti', maxTlp: 'GREEN', weight: 0.5 });
});
