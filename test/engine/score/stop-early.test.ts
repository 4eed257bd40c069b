import { expect, it } from 'vitest';
import type { Outcome } from '../../../src/engine/score/outcome.ts';
import { canChangeTier } from '../../../src/engine/score/stop-early.ts';
import { answered, failed, NOW_S, RULES } from './score-samples.ts';

const SURE = { confidence: 100 };

it.each<[string, Outcome[], Record<string, number>, boolean]>([
  ['nobody has said anything', [], { b: 1 }, true],
  ['all have been asked', [answered('a', { score: 90, ...SURE })], {}, false],
  ['a doubter could argue it down', [answered('a', { score: 90, ...SURE })], { b: 1 }, true],
  ['nobody who is left counts', [answered('a', { score: 90, ...SURE })], { b: 0 }, false],
  ['our own list is not argued down', [answered('local', { score: 95, ...SURE })], { b: 3 }, false],
  ['an accuser could raise it', [answered('a', { score: 0, ...SURE })], { b: 1 }, true],
  ['a failure is no word', [failed('a', 'timeout')], { b: 1 }, true],
  // At the edge: only the whole 100, and the whole 0, of somebody who is wholly sure reaches the next tier.
  ['the highest score just raises it', [answered('a', { score: 7, ...SURE })], { a: 0.65, b: 0.35 }, true],
  ['the highest score just does not', [answered('a', { score: 6, ...SURE })], { a: 0.645, b: 0.355 }, false],
  ['the lowest score just lowers it', [answered('a', { score: 100, ...SURE })], { a: 0.794, b: 0.206 }, true],
])('asking on could move the tier: %s', (_name, told, weights, can) => {
  const remaining = Object.keys(weights).filter((id) => id !== 'a');
  expect(canChangeTier(told, remaining, { ...RULES, weights }, { type: 'ipv4-addr', nowS: NOW_S })).toBe(can);
});
