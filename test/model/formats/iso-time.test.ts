import { expect, it } from 'vitest';
import { isoTime, timeSpan } from '../../../src/model/formats/iso-time.ts';

it.each([
  ['2026-11-01 10:00:00 UTC', '2026-11-01T10:00:00.000Z'],
  ['2021-10-05 14:02:45', '2021-10-05T14:02:45.000Z'],
  ['2022-03-03T12:38:07.895000', '2022-03-03T12:38:07.895Z'],
  ['2026-11-20T10:00:00+00:00', '2026-11-20T10:00:00.000Z'],
  ['2026-11-20T10:00:00.123456789+02:00', '2026-11-20T08:00:00.123Z'],
  ['2026-11-20T10:00:00Z', '2026-11-20T10:00:00.000Z'],
  ['2021-03-18', '2021-03-18T00:00:00.000Z'],
  [1763700000, '2025-11-21T04:40:00.000Z'],
  ['1763700000', '2025-11-21T04:40:00.000Z'],
  ['1763700000.5', '2025-11-21T04:40:00.500Z'],
  [null, null],
  [undefined, null],
  ['', null],
  ['yesterday', null],
  ['12', null],
  ['2026-13-45', null],
  [Number.NaN, null],
  [1e18, null],
])('the vendor time %j reads as %j', (vendor, iso) => {
  expect(isoTime(vendor)).toBe(iso);
});

it('a span takes the outermost known times', () => {
  expect(timeSpan([null, '2026-01-02T00:00:00.000Z', '2025-01-02T00:00:00.000Z'])).toEqual({
    first: '2025-01-02T00:00:00.000Z',
    last: '2026-01-02T00:00:00.000Z',
  });
  expect(timeSpan([null])).toEqual({ first: null, last: null });
});
