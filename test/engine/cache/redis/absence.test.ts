import { describe, expect, it } from 'vitest';
import { Absence, type AwayHabit } from '../../../../src/engine/cache/redis/absence.ts';
import { ownerOf } from '../../../../src/engine/cache/redis/known-machines.ts';
import { publicAddresses } from '../../../support/open-test-engine.ts';

const MACHINES = ['a', 'b', 'c'];
const PATIENCE_MS = 30_000;

function absenceOf(habit: AwayHabit = 'own', machines: readonly string[] = MACHINES): Absence {
  return new Absence({ habit, patienceMs: PATIENCE_MS, machine: 'a', machines: () => machines });
}

/** What may be done: everything, nothing for now, or the share of values that is asked about. */
function said(absence: Absence, nowMs: number): string {
  const rule = absence.rule(nowMs);
  if (rule === null) return 'go';
  if (rule.does === 'hold') return 'hold';
  const values = publicAddresses(300);
  const share = values.filter((value) => rule.isOurs(value)).length / values.length;
  return share === 0 ? 'none' : share === 1 ? 'all' : 'some';
}

describe('new look-ups while Redis is away', () => {
  it.each<[AwayHabit, readonly string[], string]>([
    ['own', MACHINES, 'some'],
    ['own', ['a'], 'all'],
    ['own', ['b', 'c'], 'none'],
    ['own', [], 'none'],
    ['wait', MACHINES, 'none'],
    ['ask', MACHINES, 'all'],
  ])('%s, with the machines %j: wait first, then %s of them go', (habit, machines, then) => {
    const absence = absenceOf(habit, machines);
    expect(said(absence, 0)).toBe('go');
    absence.began(1000);
    expect([said(absence, 1000), said(absence, 30_999), said(absence, 31_000)]).toEqual(['hold', 'hold', then]);
  });

  it('go 2.5 s after its return, and not before this machine has handed over what it knows, for 10 s', () => {
    const absence = absenceOf();
    absence.began(0);
    absence.ended(5000);
    expect([said(absence, 5000), said(absence, 7499), said(absence, 7500)]).toEqual(['hold', 'hold', 'go']);
    absence.began(20_000);
    absence.ended(21_000);
    absence.gathers(true);
    expect([said(absence, 30_999), said(absence, 31_000)]).toEqual(['hold', 'go']);
  });

  it('do not wait for ever where it comes and goes, and wait anew after a time in which it was there', () => {
    const absence = absenceOf();
    for (let atMs = 0; atMs < PATIENCE_MS; atMs += 2000) {
      absence.began(atMs);
      absence.ended(atMs + 1000);
    }
    absence.began(PATIENCE_MS);
    expect(said(absence, PATIENCE_MS)).toBe('some');
    // Nobody asked meanwhile.
    absence.ended(40_000);
    absence.began(100_000);
    expect(said(absence, 100_000)).toBe('hold');
  });
});

describe('the machine that a value belongs to', () => {
  const values = publicAddresses(3000);

  it('is the same whatever the order of machines, and each has its part', () => {
    for (const value of values) expect(ownerOf(value, ['c', 'a', 'b'])).toBe(ownerOf(value, MACHINES));
    for (const machine of MACHINES) {
      const part = values.filter((value) => ownerOf(value, MACHINES) === machine).length;
      expect(part).toBeGreaterThan(900);
      expect(part).toBeLessThan(1100);
    }
  });

  it('changes for the values of a machine that leaves, and for no others', () => {
    const stays = (value: string) => ownerOf(value, MACHINES) !== 'c';
    for (const value of values.filter(stays)) expect(ownerOf(value, ['a', 'b'])).toBe(ownerOf(value, MACHINES));
    expect(ownerOf('203.0.114.7', [])).toBeNull();
  });
});
