import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { OutputClosedError } from '../../../../src/rows/byte-streams.ts';
import { StandardInput, StandardOutput } from '../../../../src/hosts/splunk/protocol/standard-streams.ts';

const folder = mkdtempSync(join(tmpdir(), 'splunk-streams-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.useRealTimers());

let count = 0;

function fifo(): string {
  const path = join(folder, `fifo-${count++}`);
  expect(spawnSync('mkfifo', [path]).status).toBe(0);
  return path;
}

/** A descriptor of a pipe that has nothing to read and does not block. */
function emptyPipe(): number {
  return openSync(fifo(), constants.O_RDWR | constants.O_NONBLOCK);
}

async function read(input: StandardInput, length = 10): Promise<string> {
  const target = Buffer.alloc(length);
  const size = await input.read(target, 0, length);
  return target.toString('utf8', 0, size);
}

describe('input', () => {
  it('is read synchronously from a file, to its end', async () => {
    const path = join(folder, 'plain');
    writeFileSync(path, 'abcdef');
    const descriptor = openSync(path, 'r');
    const input = new StandardInput(descriptor);
    const target = Buffer.alloc(10);
    expect(input.read(target, 2, 4)).toBe(4);
    expect(target.toString('utf8', 2, 6)).toBe('abcd');
    expect([await read(input), await read(input)]).toEqual(['ef', '']);
    closeSync(descriptor);
  });

  it('of a pipe that does not block comes through the stream, in order and in pieces as asked for', async () => {
    const descriptor = emptyPipe();
    const stream = new PassThrough();
    const input = new StandardInput(descriptor, () => stream);
    const first = read(input, 3);
    stream.write('abcdef');
    expect(await first).toBe('abc');
    stream.end('gh');
    expect([await read(input), await read(input), await read(input)]).toEqual(['def', 'gh', '']);
    closeSync(descriptor);
  });

  it('that was read by the pipe before the stream began loses nothing', async () => {
    const descriptor = emptyPipe();
    const stream = new PassThrough();
    const input = new StandardInput(descriptor, () => stream);
    writeSync(descriptor, 'early');
    expect(await read(input)).toBe('early');
    stream.end('late');
    expect(await read(input)).toBe('late');
    closeSync(descriptor);
  });

  it('holds back a writer that is far ahead', async () => {
    const descriptor = emptyPipe();
    const stream = new PassThrough();
    const input = new StandardInput(descriptor, () => stream);
    const first = read(input, 1);
    stream.write(Buffer.alloc(3 << 20, 'x'));
    expect(await first).toBe('x');
    expect(stream.isPaused()).toBe(true);
    let size = 1;
    while (size < 3 << 20) size += (await read(input, 1 << 20)).length;
    expect(stream.isPaused()).toBe(false);
    stream.end();
    expect(await read(input)).toBe('');
    closeSync(descriptor);
  });

  /** Watches with fake time: the end comes `afterMs` after the watch was asked for. */
  async function isCancelledByEnd(afterMs: number, rest = ''): Promise<boolean> {
    vi.useFakeTimers();
    const descriptor = emptyPipe();
    const stream = new PassThrough();
    const input = new StandardInput(descriptor, () => stream);
    let isCancelled = false;
    const stop = input.watch(() => {
      isCancelled = true;
    });
    await vi.advanceTimersByTimeAsync(afterMs);
    stream.end(rest);
    await vi.advanceTimersByTimeAsync(200);
    stop();
    closeSync(descriptor);
    return isCancelled;
  }

  it.each<[number, string, boolean]>([
    [0, '', false],
    [20, '', false],
    [45, '', false],
    [60, '', true],
    [1000, '', true],
    [1000, 'the next request', false],
  ])('ending %i ms into a wait with "%s" left to read: cancelled %j', async (afterMs, rest, isCancelled) => {
    expect(await isCancelledByEnd(afterMs, rest)).toBe(isCancelled);
  });

  it('after a wait that was over soon is read as before: no stream was opened', async () => {
    vi.useFakeTimers();
    const descriptor = emptyPipe();
    const open = vi.fn(() => new PassThrough());
    const input = new StandardInput(descriptor, open);
    const stop = input.watch(() => undefined);
    await vi.advanceTimersByTimeAsync(19);
    stop();
    await vi.advanceTimersByTimeAsync(1000);
    writeSync(descriptor, 'next');
    expect(await read(input)).toBe('next');
    expect(open).not.toHaveBeenCalled();
    closeSync(descriptor);
  });

  it('from a file is not watched: its end says nothing', async () => {
    vi.useFakeTimers();
    const path = join(folder, 'file');
    writeFileSync(path, '');
    const descriptor = openSync(path, 'r');
    const open = vi.fn(() => new PassThrough());
    const stop = new StandardInput(descriptor, open).watch(() => undefined);
    await vi.advanceTimersByTimeAsync(1000);
    stop();
    expect(open).not.toHaveBeenCalled();
    closeSync(descriptor);
  });
});

describe('output', () => {
  it('into a full pipe that does not block waits for the reader', async () => {
    const path = fifo();
    const copy = join(folder, 'copy');
    const reader = spawn('sh', ['-c', `exec cat '${path}' > '${copy}'`]);
    const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const bytes = Buffer.alloc(2 << 20, 'abcdefg');
    new StandardOutput(descriptor).write(bytes);
    closeSync(descriptor);
    await once(reader, 'close');
    expect(readFileSync(copy).equals(bytes)).toBe(true);
  });

  it('says when nobody reads any more', () => {
    const path = fifo();
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(path, constants.O_WRONLY);
    closeSync(reader);
    expect(() => new StandardOutput(writer).write(Buffer.from('x'))).toThrow(OutputClosedError);
    closeSync(writer);
  });
});
