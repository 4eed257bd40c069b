import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SIZING_DOC, withSizing } from '../../scripts/generate/sizing-doc.ts';
import { sizeOf } from '../../scripts/sizing/capacity.ts';
import { compareWithRealRun } from '../../scripts/sizing/compare.ts';
import { hitsOf } from '../../scripts/sizing/hits.ts';
import { OptionError, readPlan } from '../../scripts/sizing/plan-options.ts';
import { bucketsOf, distinctAmong, sumOf, zipfBuckets } from '../../scripts/sizing/popularity.ts';
import { projectRoot } from '../support/fixtures.ts';

const planOf = (...args: string[]) => readPlan(args).plan;

describe('how often values come', () => {
  it.each([0, 0.6, 1, 1.3])('buckets by exponent %f hold all values and all look-ups, as rank by rank', (exponent) => {
    const [values, lookups] = [20_000, 50_000];
    const buckets = zipfBuckets(values, exponent);
    const weights = Array.from({ length: values }, (_, n) => (n + 1) ** -exponent);
    const all = weights.reduce((sum, weight) => sum + weight, 0);
    const distinct = weights.reduce((sum, weight) => sum + 1 - Math.exp((-weight / all) * lookups), 0);
    expect(sumOf(buckets, () => 1)).toBe(values);
    expect(sumOf(buckets, ({ share }) => share)).toBeCloseTo(1, 9);
    expect(Math.abs(distinctAmong(buckets, lookups) / distinct - 1)).toBeLessThan(0.001);
  });

  it('finds as many values as a day has to show, although the rare ones do not come every day', () => {
    const buckets = bucketsOf({ lookupsPerDay: 1e9, uniquePerDay: 5e6, exponent: 1.2 })!;
    expect(sumOf(buckets, () => 1)).toBeGreaterThan(5e6);
    expect(Math.abs(distinctAmong(buckets, 1e9) / 5e6 - 1)).toBeLessThan(0.001);
  });

  it('refuses more different values than the exponent ever shows', () => {
    expect(bucketsOf({ lookupsPerDay: 1e6, uniquePerDay: 900_000, exponent: 2 })).toBeNull();
  });
});

describe('where look-ups are answered', () => {
  it.each([
    [0.6, 1000],
    [1, 1000],
    [1.2, 1000],
    [1, 100_000],
  ])('a real engine asks and hits as reckoned, to 3 in a hundred: exponent %f, %i entries of memory', async (exponent, entries) => {
    const plan = planOf('--events-per-day', '6e7', '--unique-per-day', '3e6', '--memory-entries', String(entries * 1000));
    const { real, memory, calls, unique } = (await compareWithRealRun(plan, exponent, 1000))!;
    expect(real.lookups).toBe(60_000);
    expect(real.calls).toBe(real.unique);
    expect(Math.abs(real.unique / unique - 1)).toBeLessThan(0.03);
    expect(Math.abs(real.calls / calls - 1)).toBeLessThan(0.03);
    expect(Math.abs(real.memory - memory)).toBeLessThan(0.03);
  });

  it.each([0.05, 0.25, 1])('values are asked for again when their answers have run out, here after %f days', (days) => {
    const [values, lookupsPerDay, ran] = [300, 3000, 60];
    const buckets = zipfBuckets(values, 1);
    const { callsPerDay } = hitsOf(buckets, lookupsPerDay, { replicas: 1, memoryEntries: 1e9, lifetimes: [{ days, share: 1 }] });
    // Every value comes at random times of its own, by a generator that always gives the same ones.
    let state = 7;
    const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    let calls = 0;
    for (const { share } of buckets)
      for (let at = 0, until = 0; at < ran;) {
        at -= Math.log(random()) / (share * lookupsPerDay);
        if (at < ran && at >= until) {
          calls++;
          until = at + days;
        }
      }
    expect(Math.abs(calls / ran / callsPerDay - 1)).toBeLessThan(0.03);
  });

  it('every look-up is answered once, and more replicas hit their own memory less', () => {
    const buckets = bucketsOf({ lookupsPerDay: 1e7, uniquePerDay: 1e6, exponent: 0.8 })!;
    const by = (replicas: number) => hitsOf(buckets, 1e7, { replicas, memoryEntries: 50_000, lifetimes: [{ days: 1, share: 1 }] });
    const [one, four] = [by(1), by(4)];
    for (const { memory, shared, asked } of [one, four]) expect(memory + shared + asked).toBeCloseTo(1, 9);
    expect(four.memory).toBeLessThan(one.memory);
    expect(four.callsPerDay).toBe(one.callsPerDay);
  });
});

describe('what it takes', () => {
  const load = ['--events-per-day', '1e9', '--unique-per-day', '5e6'];

  it.each([
    [['--per-minute', '60'], 'calls a minute'],
    [['--per-day', '1000'], 'calls a day'],
    [['--redis-mb', '10'], 'memory of Redis'],
    [['--disk-gb', '0.1'], 'disk'],
    [['--memory-mb', '100'], 'memory of a sidecar'],
    [['--replicas', '1', '--by', 'single'], 'cores'],
  ])('with %j the first bottleneck is %s, and it is too small', (args, part) => {
    const { used } = sizeOf(planOf(...load, ...args), 1)!;
    expect(used[0]?.part).toBe(part);
    expect(used[0]?.share).toBeGreaterThan(1);
  });

  it('takes as many replicas as keep the cores half free at the peak', () => {
    const { replicas, used } = sizeOf(planOf(...load, '--by', 'single'), 1)!;
    expect(replicas).toBeGreaterThan(1);
    expect(used.find(({ part }) => part === 'cores')?.share).toBeLessThanOrEqual(0.5);
    const fewer = sizeOf(planOf(...load, '--by', 'single', '--replicas', String(replicas - 1)), 1)!;
    expect(fewer.used.find(({ part }) => part === 'cores')?.share).toBeGreaterThan(0.5);
  });

  it.each([
    [['--unique-per-day', 'many'], '--unique-per-day many'],
    [['--peak', ''], '--peak'],
    [['--exponent', '1,x'], '--exponent x'],
    [['--by', 'toString'], '--by toString'],
    [['--events-per-day', '10', '--unique-per-day', '11'], '--unique-per-day'],
    [['--colour', 'red'], '--colour'],
  ])('%j is refused, and named', (args, named) => {
    expect(() => readPlan(args)).toThrow(OptionError);
    expect(() => readPlan(args)).toThrow(named);
  });

  it('npm run simulate says all of it, and one JSON line for each exponent with --json', () => {
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [join(projectRoot, 'scripts/simulate.ts'), ...load, ...args], { encoding: 'utf8' });
    const text = run('--exponent', '1').stdout;
    for (const word of ['sidecars', 'answered by memory', 'asked for', 'money', 'first bottleneck']) expect(text).toContain(word);
    const lines = run('--exponent', '0.8,1', '--json').stdout.trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { exponent: number }).exponent)).toEqual([0.8, 1]);
    expect(run('--peak', '0')).toMatchObject({ status: 2, stderr: expect.stringContaining('--peak 0: it is a number from 1') });
  });

  it('docs/operations.md shows what is reckoned: `node scripts/generate/sizing-doc.ts` makes it anew', () => {
    const page = readFileSync(join(projectRoot, SIZING_DOC), 'utf8');
    expect(page).toBe(withSizing(page));
  });
});
