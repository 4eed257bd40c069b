import { expect, it } from 'vitest';
import { createLongAnswers } from '../../../../src/hosts/sidecar/routes/long-answers.ts';

/** Answers that are being made, until they are told to end. */
function start() {
  const answers = createLongAnswers();
  const begun: string[] = [];
  const ends = new Map<string, (fault?: Error) => void>();
  const make = (name: string, values: number) =>
    answers.make(values, async () => {
      begun.push(name);
      await new Promise<void>((resolve, reject) => ends.set(name, (fault) => (fault === undefined ? resolve() : reject(fault))));
      return name;
    });
  return { begun, make, end: (name: string, fault?: Error) => ends.get(name)?.(fault) };
}

const settled = () => new Promise(setImmediate);
const EIGHT = Array.from({ length: 8 }, (_, n) => `long ${n}`);

it('eight long answers are made at a time, the others in the order in which they came', async () => {
  const { begun, make, end } = start();
  const first = EIGHT.map((name) => make(name, 100));
  const later = [make('ninth', 1000), make('tenth', 1000)];
  await settled();
  expect(begun).toEqual(EIGHT);
  end('long 3');
  await settled();
  expect(begun).toEqual([...EIGHT, 'ninth']);
  end('long 0', new Error('gone'));
  await expect(first[0]).rejects.toThrow('gone');
  await settled();
  expect(begun).toEqual([...EIGHT, 'ninth', 'tenth']);
  for (const name of [...EIGHT, 'ninth', 'tenth']) end(name);
  expect(await Promise.all([...first.slice(1), ...later])).toEqual([...EIGHT.slice(1), 'ninth', 'tenth']);
  void make('after', 100);
  await settled();
  expect(begun.at(-1)).toBe('after');
});

it('a short one waits for none of them', async () => {
  const { begun, make, end } = start();
  for (const name of EIGHT) void make(name, 100);
  const short = make('short', 99);
  await settled();
  expect(begun.at(-1)).toBe('short');
  end('short');
  expect(await short).toBe('short');
});
