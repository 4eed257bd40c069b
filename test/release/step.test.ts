import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { runQuietly, step } from '../../scripts/package/step.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What is written while work of 25 s is done. */
async function linesOf(isTTY: boolean): Promise<string> {
  let text = '';
  const output = { isTTY, write: (part: string) => (text += part) };
  const done = step('building', () => new Promise<void>((resolve) => void setTimeout(resolve, 25_000)), output);
  await vi.advanceTimersByTimeAsync(25_000);
  await done;
  return text;
}

it('off a terminal long work is said when it begins and every ten seconds', async () => {
  expect(await linesOf(false)).toBe('building …\nbuilding: 10 s\nbuilding: 20 s\n');
});

it('on a terminal it is one line that is drawn over and taken away', async () => {
  const text = await linesOf(true);
  expect(text).not.toContain('\n');
  expect(text).toContain('\rbuilding … 20 s');
  expect(text.endsWith('\r\u001B[K')).toBe(true);
});

it('a program that fails is told by its last words, one that is not there by its name', async () => {
  vi.useRealTimers();
  const script = 'console.log("first"); console.error("npm error: no way to the registry"); process.exit(3)';
  await expect(runQuietly(process.execPath, ['-e', script], '.')).rejects.toThrow('npm error: no way to the registry');
  await expect(runQuietly(process.execPath, ['-e', 'process.exit(3)'], '.')).rejects.toThrow(/ended with 3/);
  await expect(runQuietly('no-such-program', [], '.')).rejects.toThrow('no-such-program cannot be started');
});
