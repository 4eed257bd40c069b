import { expect, it, onTestFinished } from 'vitest';
import { fillLookupTable } from '../../src/rows/lookup-table.ts';
import { SearchNotes } from '../../src/rows/search-notes.ts';
import { openTestEngine } from '../support/open-test-engine.ts';
import { frameOf, getinfoOf, MemoryOutput, readFrames, replay } from '../support/splunk-streams.ts';
import { sendJson, startStandIn } from '../support/stand-in-api.ts';
import { askEveryHost, differencesIn, FIELDS, quoted, type Said, saidInTable } from './every-host.ts';

const EVENTS = 2200;

/** What may differ, by words that its line of the report holds, with the page of the docs that says so. Nothing does. */
const DOCUMENTED_DIFFERENCES: readonly string[] = [];

const HASH = 'ab'.repeat(32);
const LONG = 'a'.repeat(3000);
const PLACEHOLDERS = [
  '-',
  '',
  ' ',
  '\u00a0',
  '--',
  '?',
  'unknown',
  'Unknown',
  'N/A',
  'n/a',
  'null',
  'NULL',
  '(empty)',
  '(null)',
  'none',
  'None',
  'nil',
  'undefined',
  '"-"',
  '[none]',
  'not available',
];
const PRIVATE = ['10.0.0.1', '192.168.7.7', 'fe80::1', 'db.prod.internal', 'server01', 'http://10.0.0.9/x'];
const CLEAN = ['11.0.0.1', '11.0.0.2', '13.1.1.1', 'good-host.net', 'https://good-host.net/a', HASH];
/** Clean, and not sure enough to be resolved without a person. */
const UNSURE = ['11.7.7.1', 'unsure-host.net'];
const BAD = [
  '12.0.0.1',
  '12.0.0.2',
  'evil-host.net',
  'http://evil-host.net/login',
  '12[.]0[.]0[.]3',
  '12.0.0.4:443',
  '12.0.0.5/8443',
  'cd'.repeat(32),
];
const SUSPECT = ['14.0.0.1', 'suspect-host.net'];
const UNLISTED = ['15.0.0.1', 'nolist-host.net'];
const FAILING = ['broken-host.net'];
const ODD = [
  'two words',
  '300.1.1.1',
  '10.0.0.0/8',
  'C:\\x.exe',
  '${jndi:ldap://evil-host.net/a}',
  '12.0.0.0/20 ; SBL1',
  'http://evil-host.net/x # note',
  'http://evil-host.net/x - C2',
  'http://good-host.net/x</a></span>',
  'http://good-host.net/a http://evil-host.net/b',
  '11.0.0.1, 12.0.0.1',
  'http://a@b@evil-host.net/',
  'http://evil-\thost.net/x',
  'https://good-host.net/r?url=https%3A%2F%2Fevil-host.net%2Fa',
  `http://evil-host.net/${LONG}`,
  `http://good-host.net/${LONG}`,
  `http://10.0.0.1/${LONG}`,
  LONG,
  `SHA1=${'cd'.repeat(20)},MD5=${'ab'.repeat(16)},SHA256=${HASH}`,
  `MD5=${'ab'.repeat(16)}`,
  '12.0.0.1|8080',
];
const POOLS = [PLACEHOLDERS, PRIVATE, CLEAN, CLEAN, UNSURE, BAD, SUSPECT, UNLISTED, FAILING, ODD, ODD];

/** Numbers that come the same each time. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Every odd value alone in every field, and mixtures of one to five fields of one to three values. */
function corpus(): Map<string, string[]>[] {
  const all = [...new Set(POOLS.flat())];
  const alone = all.flatMap((value, n) => [new Map([[FIELDS[n % 5]!, [value]]]), new Map([[FIELDS[(n + 2) % 5]!, [value, '11.0.0.1']]])]);
  const next = seeded(7);
  const pick = () => {
    const pool = POOLS[next(POOLS.length)]!;
    return pool[next(pool.length)]!;
  };
  const mixed = Array.from({ length: EVENTS - alone.length }, () => {
    const event = new Map<string, string[]>();
    for (let fields = 1 + next(4); fields > 0; fields--)
      event.set(FIELDS[next(5)]!, Array.from({ length: 1 + (next(4) === 0 ? next(3) : 0) }, pick));
    return event;
  });
  return [...alone, ...mixed];
}

const isQuiet = ([verdict, , status]: Said) => status === 'ok' && (verdict === 'clean' || verdict === 'unknown');
/** A stand-in API whose answer depends on the value alone. */
const startJudge = () =>
  startStandIn(({ method, values }, response) => {
    const judge = (value: string) => {
      if (value.includes('broken')) return { nonsense: true };
      if (value.includes('nolist') || value.startsWith('15.')) return { lookupStatus: 'unknown', malicious: false };
      const isBad = value.includes('evil') || value.startsWith('12.') || value.startsWith('cd');
      const isSuspect = value.includes('suspect') || value.startsWith('14.');
      const score = isBad ? 90 : isSuspect ? 65 : value === '11.0.0.2' ? 12 : 0;
      const isUnsure = value.includes('unsure') || value.startsWith('11.7.');
      return {
        malicious: isBad,
        riskScore: { score },
        confidenceScore: isUnsure ? 30 : 95,
        categories: [],
        ...(isSuspect && { reputation: { malicious: 0, suspicious: 1 } }),
      };
    };
    if (method === 'POST') sendJson(response, 200, { success: true, results: values.map((entity) => ({ entity, ...judge(entity) })) });
    else sendJson(response, 200, judge(values[0] ?? ''));
  });

it(`every host says the same of ${EVENTS} events: verdict, score, status, tier, auto-resolve`, async () => {
  const api = await startJudge();
  const { engine } = await openTestEngine(api.url);
  onTestFinished(() => engine.close());
  const values = corpus();
  await engine.enrichMany(new Set(values.flatMap((event) => [...event.values()].flat())));
  const env = { ISMALICIOUS_BASE_URL: api.url, ISMALICIOUS_X_API_KEY: 'a2V5OnNlY3JldA==' };
  const { said, leanly } = await askEveryHost(engine, env, values);
  const expected = said.get('SPL')!;
  for (const [host, all] of said) expect([host, all.length]).toEqual([host, EVENTS]);
  const differences = differencesIn(said, values);

  // The lookup takes one value a row: its answers are those to events with this value alone.
  const singles = [...new Set(values.flatMap((event) => [...event.values()].flat()))];
  const head = 'query,im_verdict,im_score,im_status,im_tier,im_auto_resolve\n';
  const bytes = Buffer.from(`${head}${singles.map((value) => `${quoted(value)},,,,,\n`).join('')}\n`);
  const output = new MemoryOutput();
  await fillLookupTable(bytes, bytes.length - 1, {
    args: [],
    output,
    notes: new SearchNotes(),
    nowS: 1,
    open: () => Promise.resolve(engine),
  });
  const looked = saidInTable(output.bytes.toString());
  const alone = await replay(
    Buffer.concat([
      getinfoOf(['query']),
      frameOf({ action: 'execute', finished: true }, `query\n${singles.map((value) => `${quoted(value)}\n`).join('')}`),
    ]),
    engine,
  );
  expect(looked).toEqual(saidInTable(readFrames(alone.output).at(-1)!.body));
  expect(differences.filter((line) => !DOCUMENTED_DIFFERENCES.some((known) => line.includes(known)))).toEqual([]);
  // Lean, it says the same as far as it says it: all of what is bad or could not be looked up, verdict and status of the rest.
  // What has a message (the host was asked in place of a URL that is too long) is written whole.
  const isLean = (n: number) => leanly[n]?.[3] === undefined;
  expect(leanly).toEqual(expected.map((one, n) => (isQuiet(one) && isLean(n) ? [one[0], null, 'ok', undefined, undefined] : one)));
  expect(expected.filter((one, n) => isQuiet(one) && isLean(n)).length).toBeGreaterThan(expected.filter(isQuiet).length / 2);
  // The corpus holds what it is there for.
  expect(new Set(expected.map(([verdict]) => verdict)).size).toBe(4);
  expect(new Set(expected.map(([, , , , resolves]) => resolves)).size).toBe(2);
}, 180_000);
