import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type NextTime, parseCron } from '../../../src/pipeline/settings/cron.ts';

const iso = (ms: number) => new Date(ms).toISOString().slice(0, 16);
const next = (expression: string, after: string) => {
  const read = parseCron(expression);
  if (typeof read === 'string') throw new Error(read);
  return iso(read(Date.parse(`${after}:00Z`)));
};

it.each([
  ['* * * * *', '2026-11-21T10:00', '2026-11-21T10:01'],
  ['17 */4 * * *', '2026-11-21T10:00', '2026-11-21T12:17'],
  ['17 */4 * * *', '2026-11-21T12:17', '2026-11-21T16:17'],
  ['0 0 * * *', '2026-12-31T00:00', '2027-01-01T00:00'],
  ['5/20 9-17 * * mon-fri', '2026-11-20T17:45', '2026-11-23T09:05'],
  ['0 6 1 * *', '2026-11-21T10:00', '2026-12-01T06:00'],
  ['0 6 31 * *', '2026-11-21T10:00', '2026-12-31T06:00'],
  ['0 0 29 2 *', '2026-11-21T10:00', '2028-02-29T00:00'],
  ['0 0 29 feb *', '2096-03-01T00:00', '2104-02-29T00:00'],
  ['0 12 * * 7', '2026-11-21T10:00', '2026-11-22T12:00'],
  ['0 12 * * 0', '2026-11-21T10:00', '2026-11-22T12:00'],
  // Either day, when both are restricted: the 13th, and Fridays.
  ['0 0 13 * fri', '2026-11-21T10:00', '2026-11-27T00:00'],
  ['0 0 13 * fri', '2026-12-11T00:00', '2026-12-13T00:00'],
  ['@daily', '2026-11-21T10:00', '2026-11-22T00:00'],
  ['@hourly', '2026-11-21T10:00', '2026-11-21T11:00'],
  ['  0,30  10   *  *  * ', '2026-11-21T10:00', '2026-11-21T10:30'],
])('%s after %s is %s', (expression, after, expected) => expect(next(expression, after)).toBe(expected));

it.each([
  '',
  '* * * *',
  '* * * * * *',
  '60 * * * *',
  '* 24 * * *',
  '* * 0 * *',
  '* * * 13 *',
  '* * * * 8',
  '30-10 * * * *',
  '*/0 * * * *',
  '1,,2 * * * *',
  '-1 * * * *',
  '0 0 31 2 *',
  '@reboot',
])('%j is refused, with a reason', (expression) => expect(parseCron(expression)).toMatch(/\w{2,} \w/));

describe('whatever the expression', () => {
  const value = (least: number, most: number) =>
    fc.oneof(
      fc.constant('*'),
      fc.integer({ min: least, max: most }).map(String),
      fc.integer({ min: 1, max: most }).map((step) => `*/${step}`),
      fc
        .tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }))
        .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
    );
  const expressions = fc.tuple(value(0, 59), value(0, 23), value(1, 28), value(1, 12), value(0, 6)).map((parts) => parts.join(' '));
  it('the next time is a whole minute in the future, and no minute before it fits', () =>
    fc.assert(
      fc.property(expressions, fc.integer({ min: 0, max: 2_000_000_000 }), (expression, afterS) => {
        const read = parseCron(expression) as NextTime;
        const found = read(afterS * 1000);
        const between = read(found - 1);
        return found > afterS * 1000 && found % 60_000 === 0 && between === found && read(afterS * 1000 + 1) >= found;
      }),
      { numRuns: 300 },
    ));
});
