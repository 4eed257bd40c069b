import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Enricher } from '../../../../src/engine/enricher.ts';
import { openFeedbackStore } from '../../../../src/engine/feedback/feedback-store.ts';
import { openSqliteVerdictStore } from '../../../../src/engine/cache/sqlite-verdict-store.ts';
import { openEngineForSearch } from '../../../../src/hosts/splunk/memory/engine-for-search.ts';
import type { OpenEnricher } from '../../../../src/hosts/splunk/protocol/search-conversation.ts';
import { mmdbFile } from '../../../support/mmdb-file.ts';
import { LATER_MS, ROWS, search, searchWorld } from '../../../support/remembered-search.ts';

const world = searchWorld();

function methodsOf(engine: Enricher): Enricher {
  return {
    peek: (value) => engine.peek(value),
    plan: (values, options) => engine.plan(values, options),
    enrichMany: (values, options) => engine.enrichMany(values, options),
    close: () => engine.close(),
  };
}

describe('what was known no longer counts', () => {
  const yaml = (text: string) => writeFileSync(join(world.folder, 'settings.yaml'), text);
  const numbers = (network: string) =>
    writeFileSync(join(world.folder, 'asn.mmdb'), mmdbFile({ [network]: { autonomous_system_number: 64_500 } }));
  const cache = () => openSqliteVerdictStore(join(world.folder, 'verdicts.sqlite'));

  beforeEach(() => {
    writeFileSync(join(world.folder, 'own.csv'), 'value,verdict\n99.9.9.9,malicious\nAS64500,malicious\n');
    numbers('45.83.0.0/16');
    mkdirSync(join(world.folder, 'warnings', 'one'), { recursive: true });
    yaml(
      'local: { lists: ["own.csv"], warning_lists: ["warnings"], asn_database: "asn.mmdb" }\n'
        .replaceAll('"own', `"${world.folder}/own`)
        .replaceAll('"warn', `"${world.folder}/warn`)
        .replaceAll('"asn', `"${world.folder}/asn`),
    );
    vi.stubEnv('ISMALICIOUS_CONFIG', join(world.folder, 'settings.yaml'));
  });

  const changes: readonly [string, () => void | Promise<void>][] = [
    ['when an own list changes', () => writeFileSync(join(world.folder, 'own.csv'), 'value,verdict\n12.0.0.1,clean\n')],
    [
      'when a warning list appears in a folder',
      () =>
        writeFileSync(
          join(world.folder, 'warnings/one/list.json'),
          '{"name":"W","type":"cidr","list":["12.0.0.0/24"],"matching_attributes":["ip-dst"]}',
        ),
    ],
    ['when the file with AS numbers changes', () => numbers('12.0.0.0/16')],
    ['when a setting changes', () => yaml('scoring: { p1: 99, p2: 98, watch: 97 }\n')],
    ['when the environment changes a setting', () => void vi.stubEnv('ISMALICIOUS_SCORING_P1', '99')],
    ['when a key is taken away', () => void vi.stubEnv('ISMALICIOUS_X_API_KEY', '')],
    ['when the environment says which fields a provider is asked about', () => void vi.stubEnv('ISMALICIOUS_FIELDS', 'dest_*')],
    ['when the environment brings another provider', () => void vi.stubEnv('VIRUSTOTAL_ENABLED', 'false')],
    [
      'when an analyst overrules',
      async () => {
        const store = await openFeedbackStore({
          path: join(world.folder, 'feedback.sqlite'),
          watches: false,
          nowS: () => Math.trunc(Date.now() / 1000),
        });
        const [atS, said] = [Math.trunc(Date.now() / 1000), { saidVerdict: null, saidScore: null }];
        store.add({
          value: '12.0.0.1',
          type: 'ipv4-addr',
          verdict: 'clean',
          score: 0,
          author: 'ana',
          reason: 'ours',
          atS,
          untilS: null,
          ...said,
        });
        store.close();
      },
    ],
    [
      'when another process learnt something else before its time',
      async () => {
        const store = await cache();
        const nowS = Math.trunc(Date.now() / 1000);
        const [row] = store.getMany('ismalicious', ['13.0.0.3']).values();
        store.put('ismalicious', '12.0.0.1', { answer: row!.answer, checkedAtS: nowS, expiresAtS: nowS + 99_999 });
        store.close();
      },
    ],
    [
      'when the cache is another one',
      async () => {
        rmSync(join(world.folder, 'verdicts.sqlite'));
        await search(['src_ip', 'dest_ip'], { remembers: false });
      },
    ],
    ['when the file is cut off', () => truncateSync(join(world.folder, 'searches', world.known()[0]!), 5000)],
    ['when the file is of another format', () => writeFileSync(join(world.folder, 'searches', world.known()[0]!), 'IMKNOWN0 and so on')],
    ['when the file is about another question', () => renameQuestion()],
  ];
  function renameQuestion(): void {
    const [file = ''] = world.known();
    const path = join(world.folder, 'searches', file);
    writeFileSync(path, readFileSync(path, 'latin1').replace('"asked\\":null', '"asked\\":true'), 'latin1');
  }

  it.each(changes)('%s', async (_, change) => {
    await search(['src_ip', 'dest_ip']);
    expect((await search(['src_ip', 'dest_ip'])).opened).toBe(0);
    await change();
    const asked = await search(['src_ip', 'dest_ip'], { remembers: false });
    const recalled = await search(['src_ip', 'dest_ip']);
    expect(recalled.opened).toBe(1);
    expect(recalled.output.equals(asked.output)).toBe(true);
    expect((await search(['src_ip', 'dest_ip'])).output.equals(asked.output)).toBe(true);
  });

  it.each(changes)('%s, for a search of a new shape either', async (_, change) => {
    const args = ['dest_ip', 'src_ip', 'details=t'];
    await search(['src_ip', 'dest_ip']);
    expect([(await search(args)).opened, world.known().length]).toEqual([0, 1]);
    await change();
    const asked = await search(args, { remembers: false });
    const recalled = await search(args);
    expect([recalled.opened, recalled.output.equals(asked.output)]).toEqual([1, true]);
  });

  it('but does when the key is another one', async () => {
    await search(['dest_ip']);
    vi.stubEnv('ISMALICIOUS_X_API_KEY', 'b3RoZXI6a2V5');
    expect((await search(['dest_ip'])).opened).toBe(0);
  });

  it('when one answer expires', async () => {
    await search(['dest_ip'], { remembers: false });
    const store = await cache();
    const [row] = store.getMany('ismalicious', ['12.0.0.2']).values();
    store.put('ismalicious', '12.0.0.2', { ...row!, expiresAtS: Math.trunc(Date.now() / 1000) + 50 });
    store.close();
    await search(['dest_ip']);
    expect((await search(['dest_ip'])).opened).toBe(0);
    expect((await search(['dest_ip'], { afterMs: 60_000 })).opened).toBe(1);
    expect((await search(['dest_ip', 'details=t'], { afterMs: 60_000 })).opened).toBe(1);
    const without = ROWS.replace(/2,13.*\n/, '');
    expect((await search(['dest_ip'], { body: without, afterMs: 60_000 })).opened).toBe(0);
  });

  it.each([
    [
      'the cache',
      async () => {
        const store = await cache();
        const [row] = store.getMany('ismalicious', ['13.0.0.3']).values();
        store.put('ismalicious', '12.0.0.1', { answer: row!.answer, checkedAtS: Math.trunc(Date.now() / 1000), expiresAtS: 9_999_999_999 });
        store.close();
      },
    ],
    ['a list', () => writeFileSync(join(world.folder, 'own.csv'), 'value,verdict\n12.0.0.1,clean\n')],
  ])('when %s changed while the search was under way', async (_, change) => {
    await search(['src_ip', 'dest_ip'], { remembers: false });
    const open: OpenEnricher = async (_search, providers) => {
      const opened = await openEngineForSearch(providers);
      const enrichMany = async (...asked: Parameters<typeof opened.engine.enrichMany>) => {
        const answers = await opened.engine.enrichMany(...asked);
        await change();
        return answers;
      };
      return { ...opened, engine: { ...methodsOf(opened.engine), enrichMany } };
    };
    await search(['src_ip', 'dest_ip'], { open });
    const recalled = await search(['src_ip', 'dest_ip']);
    const asked = await search(['src_ip', 'dest_ip'], { remembers: false });
    expect([recalled.opened, recalled.output.equals(asked.output)]).toEqual([1, true]);
  });

  it('on the next day: a score may depend on it', async () => {
    await search(['dest_ip']);
    expect((await search(['dest_ip'], { afterMs: LATER_MS + 86_400_000 })).opened).toBe(1);
    expect((await search(['dest_ip', 'only=clean'], { afterMs: LATER_MS + 86_400_000 })).opened).toBe(1);
  });
});
