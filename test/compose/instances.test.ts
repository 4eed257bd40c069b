import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { checkConfig } from '../../src/compose/check/check-config.ts';
import { openEngine } from '../../src/compose/open-engine.ts';
import { readCommandOptions } from '../../src/hosts/splunk/commands/command-options.ts';
import { runCli } from '../hosts/cli/run-cli.ts';
import { newStateFolder } from '../support/open-test-engine.ts';
import { sendJson } from '../support/stand-in-api.ts';

const BAD = '11.0.0.1';

/** A loopback MISP: the keys it was called with, one a call. */
interface Misp extends AsyncDisposable {
  readonly url: string;
  readonly keys: (string | undefined)[];
}

/** It has every value in so many events, marked for detection; `null`: it refuses every key. */
async function mispWith(events: number | null): Promise<Misp> {
  const keys: (string | undefined)[] = [];
  const server = createServer(async (request, response) => {
    keys.push(request.headers.authorization);
    const { value } = JSON.parse(await text(request)) as { value: string[] };
    const attributes = value.flatMap((one) =>
      Array.from({ length: events ?? 0 }, (_, n) => ({
        event_id: String(n + 1),
        category: 'Network activity',
        type: 'ip-dst',
        to_ids: true,
        timestamp: '1795000000',
        value: one,
      })),
    );
    sendJson(response, events === null ? 403 : 200, { response: { Attribute: attributes } });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    keys,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Misps {
  readonly hq: Misp;
  readonly cert: Misp;
}

function fileWith(providers: object): string {
  const path = join(mkdtempSync(join(tmpdir(), 'ismalicious-instances-')), 'ismalicious.yaml');
  writeFileSync(path, stringify({ providers }));
  return path;
}

const blocksOf = ({ hq, cert }: Misps, more: { hq?: object; cert?: object } = {}) => ({
  misp: {
    hq: { base_url: hq.url, api_key: 'key-of-hq', ...more.hq },
    cert: { base_url: cert.url, api_key: 'key-of-cert', ...more.cert },
  },
});

describe('several instances of one provider', () => {
  it('are asked each at its own place with its own key, and each has its own line, weight and share of the score', async () => {
    await using hq = await mispWith(10);
    await using cert = await mispWith(1);
    const configPath = fileWith(blocksOf({ hq, cert }, { cert: { weight: 0 } }));
    const { engine, config } = await openEngine({ env: { ISMALICIOUS_STATE_DIR: newStateFolder() }, configPath });
    const { answer } = (await engine.enrichMany([BAD])).get(BAD)!;
    expect(config.wanted.map(({ provider }) => [provider.id, provider.title])).toEqual([
      ['misp.hq', 'MISP (hq)'],
      ['misp.cert', 'MISP (cert)'],
    ]);
    expect(answer.providers.map(({ provider, score, contribution }) => [provider, score, contribution])).toEqual([
      ['misp.hq', 90, 90],
      ['misp.cert', 70, 0],
    ]);
    expect([hq.keys, cert.keys]).toEqual([['key-of-hq'], ['key-of-cert']]);
    expect(engine.stats().providers.map(({ provider, calls }) => [provider, calls])).toEqual([
      ['misp.hq', 1],
      ['misp.cert', 1],
    ]);
    await engine.close();
  });

  it('keep limits, health and cached answers apart: one that is used up, down or new costs the other nothing', async () => {
    await using hq = await mispWith(3);
    await using cert = await mispWith(null);
    const env = { ISMALICIOUS_STATE_DIR: newStateFolder() };
    const configPath = fileWith(blocksOf({ hq, cert }, { hq: { per_day: 1, bulk: false } }));
    const first = await openEngine({ env, configPath });
    const one = (await first.engine.enrichMany([BAD])).get(BAD)!.answer;
    expect([one.status, one.message]).toEqual(['partial', expect.stringMatching(/^misp\.cert: .*HTTP 403/)]);
    const two = (await first.engine.enrichMany(['11.0.0.2'], { timeoutMs: 2000 })).get('11.0.0.2')!.answer;
    expect(two.providers.map(({ provider, status }) => [provider, status])).toEqual([
      ['misp.hq', 'rate_limited'],
      ['misp.cert', 'unauthorized'],
    ]);
    await first.engine.close();
    expect(hq.keys).toHaveLength(1);

    await using well = await mispWith(1);
    const second = await openEngine({ env, configPath: fileWith(blocksOf({ hq, cert: well }, { hq: { per_day: 1, bulk: false } })) });
    const now = (await second.engine.enrichMany([BAD])).get(BAD)!;
    expect([now.answer.status, now.answer.providers.map(({ score }) => score)]).toEqual(['ok', [80, 70]]);
    expect([hq.keys.length, well.keys.length]).toEqual([1, 1]);
    await second.engine.close();
  });

  it('are asked together by the name of their provider, and each by its own', async () => {
    await using hq = await mispWith(1);
    await using cert = await mispWith(1);
    const env = { ISMALICIOUS_STATE_DIR: newStateFolder(), ISMALICIOUS_CONFIG: fileWith(blocksOf({ hq, cert })) };
    const asked = async (providers: string) => {
      const { code, stdout, stderr } = await runCli(['check', BAD, '--json', '--providers', providers], { env });
      if (code !== 0) return stderr;
      return (JSON.parse(stdout) as { providers: { provider: string }[] }).providers.map(({ provider }) => provider);
    };
    expect(await asked('misp')).toEqual(['misp.hq', 'misp.cert']);
    expect(await asked('misp.cert')).toEqual(['misp.cert']);
    expect(await asked('misp.crt')).toMatch(/Unknown provider "misp\.crt"\. Did you mean "misp\.cert"\?/);
    expect(readCommandOptions(['ip', 'providers=misp.hq,local']).providers).toEqual(['misp.hq', 'local']);
  });

  it('take settings from the environment, a profile and stanzas of Splunk, the secret masked', async () => {
    await using hq = await mispWith(1);
    const state = newStateFolder();
    const configPath = fileWith({ misp: { hq: {} } });
    const env = { ISMALICIOUS_STATE_DIR: state, MISP_HQ_BASE_URL: hq.url, MISP_HQ_API_KEY: 'key-from-env', MISP_HQ_MAX_TLP: 'GREEN' };
    const { engine, config } = await openEngine({ env, configPath });
    await engine.enrichMany([BAD]);
    await engine.close();
    expect([hq.keys[0], config.wanted[0]?.common.maxTlp]).toEqual(['key-from-env', 'GREEN']);
    const shown = await runCli(['config', 'show', '--config', configPath], { env });
    expect(parse(shown.stdout)).toMatchObject({ providers: { misp: { hq: { base_url: hq.url, api_key: '********', max_tlp: 'GREEN' } } } });
    expect(shown.stdout).not.toContain('key-from-env');

    const conf = { name: 'ismalicious.conf', values: { 'providers.misp.hq': { base_url: hq.url, api_key: 'key-from-splunk' } } };
    const splunk = await openEngine({ env: { ISMALICIOUS_STATE_DIR: newStateFolder() }, conf });
    await splunk.engine.enrichMany([BAD]);
    await splunk.engine.close();
    expect(hq.keys[1]).toBe('key-from-splunk');
  });
});

describe('what is wrong with an instance', () => {
  const faultsOf = async (providers: object) =>
    (await checkConfig({ env: {}, configPath: fileWith(providers) })).faults.map(
      ({ key, place, message }) => `${key} (${place}): ${message}`,
    );
  const key = { base_url: 'https://misp.hq.example', api_key: 'k' };

  it.each<[string, object, RegExp[]]>([
    ['nothing', { misp: { hq: key, cert: key } }, []],
    [
      'a misspelt setting',
      { misp: { hq: { ...key, api_kee: 'x' } } },
      [/^providers\.misp\.hq\.api_kee \(file .*, line \d+\): .*did you mean providers\.misp\.hq\.api_key\?/],
    ],
    ['a wrong value', { misp: { hq: { ...key, weight: 900 } } }, [/^providers\.misp\.hq\.weight \(file .*, line \d+\)/]],
    ['a misspelt provider', { mispp: { hq: key } }, [/^providers\.mispp .*did you mean providers\.misp\?/]],
    [
      'a name with capitals',
      { misp: { HQ: key } },
      [/^providers\.misp\.HQ \(file .*, line 3\): the name of an instance has to be 1 to 32 of a-z/],
    ],
    [
      'a name that is part of a setting',
      { ismalicious: { x: { api_key: 'k', api_secret: 's' } } },
      [/^providers\.ismalicious\.x .*makes an environment variable that is a setting of ismalicious \(ISMALICIOUS_X_API_KEY\)/],
    ],
    [
      'a setting for all of them',
      { misp: { max_tlp: 'GREEN', hq: key } },
      [/^providers\.misp\.max_tlp \(file .*, line 3\): applies to none of the instances hq: set it in each/],
    ],
    ['a list in place of a block', { misp: { hq: [key] } }, [/^providers\.misp\.hq .*unknown setting/]],
  ])('%s', async (_name, providers, words) => {
    const faults = await faultsOf(providers);
    expect(faults).toHaveLength(words.length);
    for (const [n, word] of words.entries()) expect(faults[n]).toMatch(word);
    if (words.length > 0)
      await expect(openEngine({ env: { ISMALICIOUS_STATE_DIR: newStateFolder() }, configPath: fileWith(providers) })).rejects.toThrow(
        /wrong setting/,
      );
  });

  it('one without a key is not asked, and said to be so; its provider is not blamed', async () => {
    const { warnings, providers } = await checkConfig({ env: {}, configPath: fileWith({ misp: { hq: key, cert: { weight: 0.5 } } }) });
    expect([providers, warnings]).toEqual([
      ['misp.hq'],
      [expect.stringMatching(/^providers\.misp\.cert \(file .*\) has no key: misp\.cert is not asked/)],
    ]);
  });
});
