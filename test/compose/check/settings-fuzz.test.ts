import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { afterAll, describe, expect, it } from 'vitest';
import { checkConfig } from '../../../src/compose/check/check-config.ts';
import { settingsInForce } from '../../../src/compose/check/settings-in-force.ts';
import type { SourceOptions } from '../../../src/compose/config-sources.ts';
import { ConfigError, type ConfigFault } from '../../../src/config/config-error.ts';
import { shownName } from '../../../src/config/shown-name.ts';
import { layerConf, parseConf } from '../../../src/splunkd/conf-file.ts';
import { projectRoot } from '../../support/fixtures.ts';
import { atPath, CANARY, everySetting, HOSTILE_VALUES, type KnownSetting, mutatedYaml } from '../../support/hostile-settings.ts';
import { randomOf } from '../../support/mutations.ts';

/** Configurations of each kind in a run; `ISMALICIOUS_FUZZ=2500` or more: 2,500, and it tells its figures. */
const COUNT = Math.min(2500, Number(process.env.ISMALICIOUS_FUZZ ?? 240));
const SEED = Number(process.env.ISMALICIOUS_FUZZ_SEED ?? 20_261_130);
/** Each costs the start of a program. */
const STARTS = COUNT > 1000 ? 40 : 4;

const folder = mkdtempSync(join(tmpdir(), 'settings-fuzz-'));
const FILE = join(folder, 'mutated.yaml');
const CONF = 'mutated.conf';
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SETTINGS = await everySetting();
const random = randomOf(SEED);

/** What is wrong with a configuration by `config check`; `[]`: nothing, and a start takes it too. Anything else than a `ConfigError` is thrown. */
async function faultsOf(options: SourceOptions): Promise<readonly ConfigFault[]> {
  try {
    const { faults, warnings } = await checkConfig(options);
    expect(warnings.join('\n')).not.toContain(CANARY);
    // What is right by the check is right at a start.
    if (faults.length === 0) await settingsInForce(options);
    return faults;
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

/** Faults that name a setting and the place it came from, and say nothing that may be secret. */
function expectPrecise(faults: readonly ConfigFault[], place: string | RegExp, what: string): void {
  const said = new ConfigError(faults).message;
  expect(said, what).not.toContain(CANARY);
  for (const fault of faults) expect([fault.key, fault.place, fault.message], what).toEqual([expect.stringMatching(/\S/), expect.stringMatching(place), expect.stringMatching(/\S/)]); // prettier-ignore
}

/** A setting with its value as one of the three sources has it, and where a fault has to say that it is. */
function asSource({ key, path, name, env }: KnownSetting, value: unknown, kind: number): { options: SourceOptions; place: RegExp } {
  const isSwitched = /^(providers|feeds|outputs)\./.test(path);
  const block = { ...(isSwitched ? { enabled: true } : {}), [name]: value };
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  // A certificate that cannot be read is named by its path.
  const missing = 'not set|configuration|environment|^0\\.5$';
  if (kind === 0) {
    writeFileSync(FILE, stringify(atPath(path, block)));
    return { options: { env: {}, configPath: FILE }, place: /mutated\.yaml/ };
  }
  if (kind === 1) return { options: { env: { [env]: text } }, place: new RegExp(`^environment variable ${env}$|${missing}|^${key}$`) };
  const lines = Object.entries({ ...block, [name]: text }).map(([word, said]) => `${word} = ${String(said)}\n`);
  const values = layerConf([parseConf(`[${path}]\n${lines.join('')}`)]);
  return { options: { env: {}, conf: { name: CONF, values } }, place: new RegExp(`^conf file ${CONF}$|${missing}`) };
}

describe('mutated settings', () => {
  it('every name of a setting is one that is shown', () => {
    const names = SETTINGS.flatMap(({ key }) => key.split('.'));
    expect(names.filter((name) => shownName(name) !== name)).toEqual([]);
  });

  it('a hostile value at a setting, in file, environment or Splunk conf, is refused by its name and place, or taken', async () => {
    const cases = SETTINGS.flatMap((setting) => HOSTILE_VALUES.map((hostile) => ({ setting, hostile })));
    const stride = Math.max(1, Math.floor(cases.length / COUNT));
    let tried = 0;
    let refused = 0;
    for (let n = random(stride); n < cases.length; n += stride) {
      const { setting, hostile } = cases[n]!;
      const [name, value] = hostile;
      const { options, place } = asSource(setting, value, tried++ % 3);
      const faults = await faultsOf(options);
      expectPrecise(faults, place, `${setting.key} = ${name}`);
      if (faults.some(({ key }) => key.startsWith(setting.key))) refused++;
    }
    if (COUNT > 1000) process.stderr.write(`settings: ${tried} configurations, ${refused} refused for the changed setting\n`);
    // A fuzzer whose values are all taken, or all refused for something else, proves nothing.
    expect(refused).toBeGreaterThan(tried / 10);
    expect(tried - refused).toBeGreaterThan(tried / 100);
  });

  it('a file with changed bytes is refused by line and setting, or taken', async () => {
    let refused = 0;
    for (let n = 0; n < COUNT; n++) {
      writeFileSync(FILE, mutatedYaml(random));
      const faults = await faultsOf({ env: {}, configPath: FILE });
      expectPrecise(faults, /mutated\.yaml|^configuration$|^not set$/, `file ${n} of seed ${SEED}`);
      if (faults.length > 0) refused++;
    }
    if (COUNT > 1000) process.stderr.write(`settings: ${COUNT} changed files, ${refused} refused\n`);
    expect(refused).toBeGreaterThan(COUNT / 4);
  });

  it.each([
    ['a quote left out', `providers: { virustotal: { api_key: '${CANARY} } }\n`],
    ['a colon left out', `providers:\n  virustotal:\n    ${CANARY}: api_key\n`],
    ['a stray alias', `providers: { virustotal: { api_key: *${CANARY} } }\n`],
    ['a tag', `providers: { virustotal: { api_key: !<${CANARY}> x, ${CANARY}: 1 } }\n`],
    ['a key that is a map', `? { api_key: ${CANARY} }\n: 1\n`],
    ['aliases of aliases', `a: &a [${CANARY}]\nb: &b [${'*a, '.repeat(50)}]\nc: &c [${'*b, '.repeat(50)}]\nd: [${'*c, '.repeat(50)}]\n`],
    ['a secret where a list of files belongs', `local: { allow_lists: [${CANARY}] }\n`],
    ['a block that is a text', `providers: ${CANARY}\n`],
    ['nothing but a secret', CANARY],
  ])('%s never shows the secret', async (_name, text) => {
    writeFileSync(FILE, text);
    const faults = await faultsOf({ env: {}, configPath: FILE });
    expect(faults.length).toBeGreaterThan(0);
    expectPrecise(faults, /mutated\.yaml/, text);
  });

  it('the sidecar does not begin with a configuration that is wrong: no port, no file, no secret on its streams', async () => {
    for (let started = 0; started < STARTS;) {
      writeFileSync(FILE, started === 0 ? `? { api_key: ${CANARY} }\n: 1\n` : mutatedYaml(random));
      if ((await faultsOf({ env: {}, configPath: FILE })).length === 0) continue;
      const state = join(folder, `state-${started++}`);
      mkdirSync(state);
      const env = { PATH: process.env.PATH, HOME: state, ISMALICIOUS_STATE_DIR: state };
      const args = [join(projectRoot, 'dist/cli.js'), 'serve', '--port', '0', '--config', FILE];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8', timeout: 60_000 });
      expect([status, stdout, readdirSync(state)], stderr).toEqual([2, '', []]);
      expect(stderr).not.toContain(CANARY);
      expect(stderr).toContain(FILE);
    }
  });
});
