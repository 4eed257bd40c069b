import { expect, it } from 'vitest';
import * as z from 'zod/mini';
import '../../src/config/load.ts';

it.each([
  [z.number(), 'lots', 'expected a number, got a text'],
  [z.int(), 1.5, 'expected a whole number, got a number with decimals'],
  [z.boolean(), 'maybe', 'expected true or false, got a text'],
  [z.string(), 7, 'expected a text, got a whole number'],
  [z.string(), null, 'expected a text, got nothing'],
  [z.array(z.string()), 'a', 'expected a list, got a text'],
  [z.object({}), [], 'expected a map, got a list'],
  [z.int().check(z.lte(65_535)), 99_999, 'too large: at most 65535'],
  [z.int().check(z.gt(0)), 0, 'too small: above 0'],
  [z.string().check(z.minLength(8)), 'short', 'too short: at least 8 characters'],
  [z.string().check(z.minLength(1)), '', 'is empty'],
  [z.array(z.string()).check(z.maxLength(1)), ['a', 'b'], 'too long: at most 1 entries'],
  [z.enum(['CLEAR', 'RED']), 'PINK', 'expected one of CLEAR, RED'],
  [z.url(), 'x', 'Invalid URL'],
])('%# %o is refused in plain words: %j', (schema, value, words) => {
  expect(schema.safeParse(value).error?.issues[0]?.message).toBe(words);
});
