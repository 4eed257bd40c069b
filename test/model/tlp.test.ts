import { expect, it } from 'vitest';
import { strictestTlp } from '../../src/model/tlp.ts';

it.each([
  [[], null],
  [['c2', 'green light'], null],
  [['tlp:white'], 'CLEAR'],
  [['TLP:CLEAR', 'tlp:green'], 'GREEN'],
  [['tlp:amber+strict', 'tlp:amber'], 'AMBER+STRICT'],
  [['white'], 'CLEAR'],
  [['TLP: RED', 'tlp:green'], 'RED'],
])('the strictest label of %j is %j', (words, label) => {
  expect(strictestTlp(words)).toBe(label);
});
