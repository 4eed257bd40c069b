import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import type { Io } from '../../../src/hosts/cli/command.ts';
import { openProgress } from '../../../src/hosts/cli/waiting/progress.ts';

function terminal(hasProgress: boolean, columns = 80) {
  const parts: string[] = [];
  const stderr = Object.assign(new PassThrough(), {
    isTTY: hasProgress,
    columns,
    cursorTo: () => {},
    clearLine: () => {},
    clearScreenDown: () => {},
    moveCursor: () => {},
  });
  stderr.on('data', (part: Buffer) => parts.push(part.toString('utf8')));
  return { io: { stderr, hasProgress } as unknown as Io, written: () => parts.join('') };
}

it('a bar gives way to what is waited for', async () => {
  const { io, written } = terminal(true, 90);
  const progress = await openProgress(io);
  const words = "30 of 60 answers, waiting 58 s for virustotal's rate limit (30 a minute)";
  progress.show(words, 0.5);
  progress.end();
  expect(stripVTControlCharacters(written())).toContain(`██████░░░░░ 50 % ${words}`);
  const wide = terminal(true, 120);
  const calm = await openProgress(wide.io);
  calm.show(words, 0.5);
  calm.end();
  expect(wide.written()).toContain('████████████░░░░░░░░░░░░ 50 %');
});

it('a bar shows share and words, is no longer than the terminal, and leaves Ctrl-C to the command', async () => {
  const { io, written } = terminal(true, 40);
  const before = process.listenerCount('SIGINT');
  const progress = await openProgress(io);
  progress.show(`12 of 24${'!'.repeat(60)}`, 0.5);
  expect(process.listenerCount('SIGINT')).toBe(before);
  progress.end();
  const [line = ''] = written().split('\n');
  expect(line).toContain('███░░░ 50 % 12 of 24');
  expect(stripVTControlCharacters(line).trim().length).toBeLessThanOrEqual(40);
  // The terminal is told nothing that a killed program could not take back.
  expect(written()).not.toMatch(/\[\?(7|25)l/);
});

it('without a known length there are words alone, and without a terminal nothing at all', async () => {
  const open = terminal(true);
  const counting = await openProgress(open.io);
  counting.show('12 values', null);
  counting.end();
  expect(open.written()).toContain('12 values');
  expect(open.written()).not.toContain('%');
  const closed = terminal(false);
  const silent = await openProgress(closed.io);
  silent.show('12 values', 0.1);
  silent.end();
  expect(closed.written()).toBe('');
});
