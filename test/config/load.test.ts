import * as z from 'zod/mini';
import { describe, expect, it } from 'vitest';
import { type ConfigError } from '../../src/config/config-error.ts';
import { loadConfig } from '../../src/config/load.ts';
import { settingMeta } from '../../src/config/setting.ts';

function setting<T extends z.ZodMiniType>(schema: T, env: string): T {
  settingMeta.add(schema, { doc: 'Test.', env });
  return schema;
}

const BLOCKS = {
  one: z.object({
    apiKey: setting(z.string(), 'T_API_KEY'),
    maxAgeDays: setting(z._default(z.int().check(z.gte(1)), 90), 'T_MAX_AGE'),
    isOn: setting(z._default(z.boolean(), false), 'T_ON'),
    names: setting(z._default(z.array(z.string()), []), 'T_NAMES'),
  }),
  'two.deep': z.object({ share: setting(z._default(z.number(), 0.5), 'T_SHARE') }),
};

function faultsOf(sources: Parameters<typeof loadConfig>[1]): (readonly [string, string, string])[] {
  try {
    loadConfig(BLOCKS, sources);
    return [];
  } catch (error) {
    return (error as ConfigError).faults.map(({ key, place, message }) => [key, place, message] as const);
  }
}

describe('settings', () => {
  it('come from file, conf and environment, the later ones on top', () => {
    const loaded = loadConfig(BLOCKS, {
      file: { name: 'x.yaml', values: { one: { api_key: 'file', max_age_days: 3, names: ['a'] }, two: { deep: { share: 1 } } } },
      conf: { name: 'x.conf', values: { one: { max_age_days: '4', is_on: '1' } } },
      env: { T_API_KEY: 'env', T_NAMES: 'b, c', T_ON: '' },
    });
    expect(loaded.one?.values).toEqual({ apiKey: 'env', maxAgeDays: 4, isOn: true, names: ['b', 'c'] });
    expect(loaded['two.deep']?.values).toEqual({ share: 1 });
    expect([...(loaded['two.deep']?.set ?? [])]).toEqual(['share']);
  });

  it.each([
    ['true', true],
    ['YES', true],
    ['on', true],
    ['0', false],
    ['No', false],
  ])('%s is the boolean %j', (text, value) => {
    expect(loadConfig(BLOCKS, { env: { T_API_KEY: 'k', T_ON: text } }).one?.values.isOn).toBe(value);
  });

  it('stop the start with all faults at once, each with key, place and remedy, and never a value', () => {
    const faults = faultsOf({
      file: { name: 'x.yaml', values: { one: { max_age_days: 0, api_kex: 'S3CRET' }, two: { deep: { share: 'S3CRET' } }, tree: 1 } },
      env: { T_ON: 'S3CRET' },
    });
    expect(faults.map(([key, place]) => [key, place])).toEqual([
      ['one.api_key', 'file x.yaml'],
      ['one.max_age_days', 'file x.yaml'],
      ['one.is_on', 'environment variable T_ON'],
      ['two.deep.share', 'file x.yaml'],
      ['one.api_kex', 'file x.yaml'],
      ['tree', 'file x.yaml'],
    ]);
    expect(faults[0]?.[2]).toContain('T_API_KEY');
    expect(faults[4]?.[2]).toContain('did you mean one.api_key');
    expect(JSON.stringify(faults)).not.toContain('S3CRET');
  });

  it('of other programs are left alone', () => {
    const file = { name: 'x.yaml', values: { one: { api_key: 'k' }, outputs: { file: { path: 'x' } } } };
    expect(faultsOf({ file, env: {} })).toHaveLength(1);
    expect(loadConfig(BLOCKS, { file, env: {} }, ['outputs']).one?.values.apiKey).toBe('k');
  });
});
