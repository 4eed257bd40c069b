import { describe, expect, it } from 'vitest';
import type { Recalled, SearchMemory } from '../../../../src/hosts/splunk/memory/search-memory.ts';
import type { SearchKeys } from '../../../../src/rows/kept/earlier-searches.ts';
import type { TakenSnapshot, ValueSnapshot } from '../../../../src/rows/kept/value-snapshot.ts';
import type { Fingerprint } from '../../../../src/splunkd/fingerprint.ts';
import { columnOf } from '../../../support/csv-oracle.ts';
import { FakeEnricher } from '../../../support/fake-enricher.ts';
import { executeOf, getinfoOf, replay } from '../../../support/splunk-streams.ts';

const NOW_MS = 1_700_000_000_000;
const ROWS = 'dest_ip,x\n203.0.113.5,\n203.0.113.7,\n';

const fingerprintOf = (epoch: string): Fingerprint => ({
  files: [],
  environment: { prefixes: [], digest: '' },
  verdicts: { path: 'verdicts.sqlite', epoch } as unknown as Fingerprint['verdicts'],
});

interface Left {
  readonly keys: SearchKeys;
  readonly known: ValueSnapshot;
  readonly fingerprint: Fingerprint;
}

interface Wishes {
  readonly rows?: string;
  readonly recalled?: Recalled | null;
  readonly fingerprint?: Fingerprint | null;
  readonly warnings?: readonly string[];
  readonly remembers?: boolean;
  readonly keepFails?: boolean;
  readonly nowMs?: number;
  readonly enricher?: FakeEnricher;
}

/** One search with a memory that only notes what it is given. */
async function search(wishes: Wishes = {}) {
  const { rows = ROWS, recalled = null, fingerprint = fingerprintOf('1'), warnings = [], nowMs = NOW_MS } = wishes;
  const left: Left[] = [];
  const begun: number[] = [];
  const memory = {
    // eslint-disable-next-line @typescript-eslint/require-await
    recall: async function* () {
      if (recalled !== null) yield recalled;
    },
    keep: (keys: SearchKeys, { known }: TakenSnapshot, about: Fingerprint) => {
      if (wishes.keepFails === true) throw new Error('no space left on the disk');
      left.push({ keys, known, fingerprint: about });
    },
  } as unknown as SearchMemory;
  const enricher = wishes.enricher ?? new FakeEnricher(undefined, () => nowMs / 1000);
  const replayed = await replay(Buffer.concat([getinfoOf(['dest_ip']), executeOf(rows, true)]), enricher, {
    now: () => nowMs,
    open: () => Promise.resolve({ engine: enricher, warnings, fingerprint: () => fingerprint }),
    ...(wishes.remembers === false
      ? {}
      : {
          remember: (startedMs: number) => {
            begun.push(startedMs);
            return Promise.resolve(memory);
          },
        }),
  });
  return { ...replayed, left, begun };
}

const asRecalled = ({ known, fingerprint }: Left): Recalled => ({ known, fingerprint });

describe('what a search leaves to the next one', () => {
  it('is what it knows, with what that rests on, once the replies are out', async () => {
    const { status, left, begun } = await search();
    expect([status, begun, left.map(({ fingerprint }) => fingerprint)]).toEqual([0, [NOW_MS], [fingerprintOf('1')]]);
    expect(JSON.parse(left[0]!.keys.shape)).toMatchObject({ fields: ['dest_ip'] });
  });

  it('answers the next one without the engine, and that one leaves nothing new', async () => {
    const first = await search();
    const second = await search({ recalled: asRecalled(first.left[0]!) });
    expect([second.opened, second.left]).toEqual([0, []]);
    const said = ({ tables: [table] }: typeof first) => ['im_verdict', 'im_score', 'im_source'].map((name) => columnOf(table!, name));
    expect(said(first)).toEqual([
      ['malicious', 'clean'],
      ['92', '3'],
      ['live', 'live'],
    ]);
    expect(said(second)).toEqual([
      ['malicious', 'clean'],
      ['92', '3'],
      ['cache', 'cache'],
    ]);
  });

  it('grows by what the next one learns, while all of it rests on the same', async () => {
    const first = await search();
    const wider = { rows: `${ROWS}203.0.113.6,\n203.0.113.8,\n`, recalled: asRecalled(first.left[0]!) };
    const second = await search(wider);
    expect(second.left.map(({ known }) => known.untilS.length - first.left[0]!.known.untilS.length)).toEqual([2]);
    // Settings or cache changed meanwhile: what was recalled may not be true any more.
    expect((await search({ ...wider, fingerprint: fingerprintOf('2') })).left).toEqual([]);
  });

  it('counts only until it runs out: one second before it does, and not at that moment', async () => {
    const recalled = asRecalled((await search()).left[0]!);
    const endS = Math.min(...[...recalled.known.untilS].filter((untilS) => untilS > 0));
    expect((await search({ recalled, nowMs: (endS - 1) * 1000 + 999 })).opened).toBe(0);
    expect((await search({ recalled, nowMs: endS * 1000 })).opened).toBe(1);
  });

  it('is what holds longer than the search itself', async () => {
    // An answer that has run out by now is none that a later search could show.
    const enricher = new FakeEnricher(undefined, () => NOW_MS / 1000 - 86_400);
    expect((await search({ enricher })).left).toEqual([]);
    const young = new FakeEnricher(undefined, () => NOW_MS / 1000 - 86_399);
    expect((await search({ enricher: young })).left).toHaveLength(1);
  });

  it.each([
    ['nobody remembers', { remembers: false }],
    ['the engine has warnings: who does not ask it would not hear them', { warnings: ['the cache is kept in memory only'] }],
    ['nobody can tell what the answers rest on', { fingerprint: null }],
    ['there was no value to ask about', { rows: 'dest_ip,x\n' }],
  ] as const)('is nothing where %s', async (_name, wishes) => {
    const { status, left } = await search(wishes);
    expect([status, left]).toEqual([0, []]);
  });

  it('and a disk that is full costs the search nothing but a line in the log', async () => {
    const { status, tables, complaints } = await search({ keepFails: true });
    expect([status, tables[0]?.rows.length]).toEqual([0, 2]);
    expect(complaints).toEqual(['isMalicious: what this search knows cannot be kept: no space left on the disk']);
  });
});
