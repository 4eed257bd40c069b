import { describe, expect, it } from 'vitest';
import { decodeBody } from '../../src/engine/calls/http/body.ts';
import type { Feed } from '../../src/feeds/feed.ts';
import { FEEDS } from '../../src/feeds/registry.ts';
import { LookupError } from '../../src/model/lookup-error.ts';
import { parseIndicator } from '../../src/model/parse-indicator.ts';
import { mutate, randomOf } from '../support/mutations.ts';
import { FORMS } from './feed-forms.ts';
import { answer, walk, type Walk } from './walk.ts';

/** Documents of each format in a run; `ISMALICIOUS_FUZZ=1000` or more: a thousand, and it tells its figures. */
const COUNT = Math.min(1000, Number(process.env.ISMALICIOUS_FUZZ ?? 40));
const SEED = Number(process.env.ISMALICIOUS_FUZZ_SEED ?? 20_261_130);
const ROWS = 24;
/** Of so many rows one is changed. */
const ONE_IN = 4;

type Random = (below: number) => number;
type Settings = Record<string, unknown>;

const feedOf = (id: string): Feed => FEEDS.find((known) => known.id === id) as Feed;
const valuesOf = (got: Walk): Set<string> => new Set(got.items.map(({ indicator }) => indicator.value));
const addressOf = (n: number): string => `45.83.${64 + (n >> 8)}.${n % 256}`;

/** Rows that are wrong whatever they once said. */
const JUNK: readonly unknown[] = [null, 7, '', [], {}, true, '__proto__', { type: 'constructor', value: {} }, JSON.parse('{"__proto__":{"type":"ip-dst"}}')]; // prettier-ignore

/** A row after a change of its bytes; what is no JSON any more stands there as a text. */
function changedRow(row: object, random: Random): unknown {
  if (random(3) === 0) return JUNK[random(JUNK.length)];
  const text = mutate(Buffer.from(JSON.stringify(row)), random).toString();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Reads a document. What is not a refusal of its shape is thrown. */
function read(id: string, settings: object, reply: (path: string) => unknown): Walk | null {
  try {
    return walk(feedOf(id), settings as Settings, null, (call) => answer(reply(call.url.pathname)));
  } catch (error) {
    if (error instanceof LookupError || (error as Error).constructor.name === '$ZodError') return null;
    throw error;
  }
}

/** Whatever came out is an indicator that is read as itself. */
function expectIndicators(got: Walk, what: string): void {
  for (const { indicator } of got.items) expect(parseIndicator(indicator.value), what).toMatchObject({ indicator });
}

/** Texts are lists: how each spells a line, and what stands above the lines. */
const LISTS: Readonly<Record<string, { settings: object; head: string; line: (value: string, n: number) => string }>> = {
  'a plain list': { settings: {}, head: '# a list\n', line: (value) => value },
  'CSV with a header': {
    settings: { column: 'ip', tagsColumn: 'note' },
    head: 'id,ip,note\n',
    line: (value, n) => `${n},${value},c2 ${n}`,
  },
  'CSV as abuse.ch has it': {
    settings: { column: 'dst_ip', lastSeenColumn: 'last_online', tagsColumn: 'malware' },
    head: '####\r\n# a block list\r\n####\r\n"first_seen_utc","dst_ip","dst_port","c2_status","last_online","malware"\r\n',
    line: (value) => `"2026-11-01 00:00:00","${value}","443","online","2026-11-02","Qakbot"\r`,
  },
};

describe.each(Object.entries(FORMS))('mutated documents of %s', (id, { settings, wrap, good }) => {
  const rows = Array.from({ length: ROWS }, (_, n) => good(addressOf(n), n + 1));
  const whole = read(id, settings, wrap(rows));
  const valueOf = (n: number): string => [...valuesOf(whole as Walk)][n] ?? '';

  it('changed rows are kept apart and counted, the others are read', () => {
    expect(valuesOf(whole as Walk).size).toBe(ROWS);
    const random = randomOf(SEED);
    let apart = 0;
    for (let turn = 0; turn < COUNT; turn++) {
      const isChanged = rows.map(() => random(ONE_IN) === 0);
      const changed = rows.map((row, n) => (isChanged[n] ? changedRow(row, random) : row));
      const got = read(id, settings, wrap(changed)) as Walk;
      const what = `document ${turn} of seed ${SEED}: ${JSON.stringify(changed.filter((_row, n) => isChanged[n]))}`;
      expect(got, what).not.toBeNull();
      const found = valuesOf(got);
      expect(
        rows.flatMap((_row, n) => (isChanged[n] || found.has(valueOf(n)) ? [] : [valueOf(n)])),
        what,
      ).toEqual([]);
      // A row that is left out of every count was lost without a word.
      expect(got.items.length + got.rejected.length + got.ignored + got.networks.length, what).toBeGreaterThanOrEqual(ROWS);
      expectIndicators(got, what);
      apart += got.rejected.length + got.ignored;
    }
    expect(apart).toBeGreaterThan(COUNT);
    if (COUNT >= 1000) process.stderr.write(`feeds ${id}: ${COUNT} documents, ${apart} rows kept apart\n`);
  });

  it('a document whose bytes are changed is read or refused', () => {
    const random = randomOf(SEED + 1);
    for (let turn = 0; turn < COUNT; turn++) {
      const seed = random(2 ** 31);
      const bytesOf = (path: string) => mutate(Buffer.from(JSON.stringify(wrap(rows)(path))), randomOf(seed));
      const got = read(id, settings, (path) => decodeBody(id, bytesOf(path)));
      if (got) expectIndicators(got, `document ${turn} of seed ${SEED}`);
    }
    expect(Reflect.ownKeys(Object.prototype)).not.toContain('type');
  });
});

describe.each(Object.entries(LISTS))('mutated documents: %s', (name, { settings, head, line }) => {
  const lines = Array.from({ length: ROWS }, (_, n) => line(addressOf(n), n + 1));
  const given = { baseUrl: 'https://l.corp-net.com', ...settings };

  it('a changed line costs itself, the others are read', () => {
    const random = randomOf(SEED);
    let apart = 0;
    for (let turn = 0; turn < COUNT; turn++) {
      const at = random(ROWS);
      const changed = lines.map((text, n) => (n === at ? mutate(Buffer.from(text), random).toString() : text));
      const got = read('csv', given, () => `${head}${changed.join('\n')}\n`) as Walk;
      const what = `document ${turn} of seed ${SEED}: ${JSON.stringify(changed[at])}`;
      expect(got, what).not.toBeNull();
      const found = valuesOf(got);
      expect(
        lines.flatMap((_text, n) => (n === at || found.has(addressOf(n)) ? [] : [addressOf(n)])),
        what,
      ).toEqual([]);
      expectIndicators(got, what);
      apart += got.rejected.length + got.ignored;
    }
    expect(apart).toBeGreaterThan(COUNT / 8);
    if (COUNT >= 1000) process.stderr.write(`feeds ${name}: ${COUNT} documents, ${apart} lines kept apart\n`);
  });

  it('a list whose bytes are changed is read or refused', () => {
    const random = randomOf(SEED + 1);
    const bytes = Buffer.from(`${head}${lines.join('\n')}\n`);
    for (let turn = 0; turn < COUNT; turn++) {
      const got = read('csv', given, () => decodeBody('csv', mutate(bytes, random)));
      if (got) expectIndicators(got, `list ${turn} of seed ${SEED}`);
    }
  });
});
