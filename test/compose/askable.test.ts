import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createAskable } from '../../src/compose/askable.ts';
import { loadEngineConfig } from '../../src/compose/engine-config.ts';
import { newStateFolder } from '../support/open-test-engine.ts';

const path = join(newStateFolder(), 'ismalicious.yaml');
writeFileSync(path, 'profiles: { soc: { providers: { virustotal: { api_key: k-soc } } } }\n');
const options = { env: { ISMALICIOUS_STATE_DIR: newStateFolder() }, configPath: path };

it('a caller who names a provider that nobody could ask is refused, by the profile it asks with', async () => {
  const askable = createAskable(await loadEngineConfig(options), options);
  expect(await askable.refuse(['nonsense'])).toContain('unknown provider "nonsense"; the providers are local, ismalicious, virustotal');
  expect(await askable.refuse(['local', 'virustotal'])).toBe('no key for "virustotal"; configured are local');
  expect(await askable.refuse(['virustotal'], 'soc')).toBeNull();
  expect(await askable.refuse(['local'])).toBeNull();
  expect(await askable.note()).toContain('only local lists answered');
  expect(await askable.note('soc')).toBeNull();
});
