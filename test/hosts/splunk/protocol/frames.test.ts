import { describe, expect, it } from 'vitest';
import { converseGenerating, type GeneratingCommand } from '../../../../src/hosts/splunk/protocol/generating-conversation.ts';
import { encodeFrameHead, FrameReader } from '../../../../src/hosts/splunk/protocol/frames.ts';
import { executeOf, frameOf, getinfoOf, MemoryInput, MemoryOutput, readFrames } from '../../../support/splunk-streams.ts';

const LF = 10;
const readerOf = (bytes: Buffer | string, piece?: number) => new FrameReader(new MemoryInput(Buffer.from(bytes), piece));
const fault = async (bytes: Buffer | string, piece?: number) =>
  await readerOf(bytes, piece)
    .next()
    .then(
      () => null,
      (error: Error) => error.message,
    );

describe('the first line of a frame', () => {
  const line = (length: number) => `chunked 1.0,${' '.repeat(length - 15)}2,0\n{}`;
  it.each([
    [255, null],
    [256, 'the input is not the chunked protocol'],
  ])('of %i bytes that come one by one: %j', async (length, message) => {
    expect([await fault(line(length), 1), await fault(line(length))]).toEqual([message, null]);
  });

  it.each([
    ['chunked 1.0,2,0\n{}', null],
    ['chunked 1.0,000000000000002,0\n{}', null],
    ['chunked 1.0,0000000000000002,0\n{}', 'a frame does not begin with "chunked 1.0,<bytes>,<bytes>"'],
    ['chunked 1.0,2,0000000000000000\n{}', 'a frame does not begin with "chunked 1.0,<bytes>,<bytes>"'],
    ['chunked 1.0,2,0 x\n{}', 'a frame does not begin with "chunked 1.0,<bytes>,<bytes>"'],
    ['\nchunked 1.0,2,0\n{}', 'a frame does not begin with "chunked 1.0,<bytes>,<bytes>"'],
    ['chunk', 'the input ends inside the first line of a frame'],
    ['chunked 1.0,2,0', 'the input ends inside the first line of a frame'],
  ])('%j: %j', async (text, message) => expect([await fault(text), await fault(text, 1)]).toEqual([message, message]));

  it('is given up with the first byte that cannot be one', async () => {
    let reads = 0;
    const source = {
      read: (target: Uint8Array, offset: number, length: number) => {
        // There is room for all that is asked for.
        expect(offset + length).toBeLessThanOrEqual(target.length);
        target[offset] = 'chuX'.codePointAt(reads++) ?? 0;
        return 1;
      },
    };
    await expect(new FrameReader(source as never).next()).rejects.toThrow('not the chunked protocol');
    expect(reads).toBe(4);
  });

  it('may announce 16 MiB of metadata and 1 GiB of rows, and no more', async () => {
    const ends = (bytes: number) => `the input ends ${bytes} bytes before the end of a frame`;
    expect(await fault(`chunked 1.0,${2 ** 24},0\n`)).toBe(ends(2 ** 24));
    expect(await fault(`chunked 1.0,${2 ** 24 + 1},0\n`)).toBe('a frame announces 16777217 bytes of metadata; at most 16777216 are read');
    expect(await fault(`chunked 1.0,0,${2 ** 30}\nxyz`)).toBe(ends(2 ** 30 - 3));
    expect(await fault(`chunked 1.0,0,${2 ** 30 + 1}\n`)).toBe('a frame announces 1073741825 bytes of rows; at most 1073741824 are read');
  });
});

describe('a frame', () => {
  it.each([1, 2, 7, 16, Infinity])('is whole in pieces of %d bytes, and so is the next', async (piece) => {
    const reader = readerOf(Buffer.concat([frameOf({ a: 1 }, 'x,y\n'), frameOf({ b: 2 }, 'z\n1\n')]), piece);
    const texts: unknown[] = [];
    for (let frame = await reader.next(); frame !== null; frame = await reader.next())
      texts.push([frame.metadata, frame.bytes.toString('utf8', frame.bodyFrom, frame.bodyEnd), frame.bytes[frame.bodyEnd]]);
    expect(texts).toEqual([
      [{ a: 1 }, 'x,y\n', LF],
      [{ b: 2 }, 'z\n1\n', LF],
    ]);
  });

  it.each([65_533, 65_534, 65_535, 65_536, 65_537])('of %i bytes of rows has its end marked, first or later', async (size) => {
    const big = frameOf({}, 'r'.repeat(size));
    for (const before of [[], [frameOf({}, 'small')]]) {
      const reader = readerOf(Buffer.concat([...before, big]));
      for (const _ of before) await reader.next();
      const frame = (await reader.next())!;
      expect([frame.bodyEnd - frame.bodyFrom, frame.bytes[frame.bodyEnd - 1], frame.bytes[frame.bodyEnd]]).toEqual([size, 114, LF]);
    }
  });

  it('may come from a source that answers later', async () => {
    const now = new MemoryInput(frameOf({ a: 1 }, 'x,y\n'), 3);
    const later = { read: (...to: Parameters<MemoryInput['read']>) => Promise.resolve(now.read(...to)) };
    const frame = (await new FrameReader(later as never).next())!;
    expect([frame.metadata, frame.bytes.toString('utf8', frame.bodyFrom, frame.bodyEnd)]).toEqual([{ a: 1 }, 'x,y\n']);
  });

  it('leaves an eighth to spare: the next one that is little larger takes the same memory', async () => {
    const sizes = [100_000, 112_500, 112_501].map((size) => size - 2);
    const reader = readerOf(Buffer.concat(sizes.map((size) => frameOf({}, 'r'.repeat(size)))));
    const [first, second, third] = [await reader.next(), await reader.next(), await reader.next()];
    expect([first!.bytes.length, second!.bytes === first!.bytes, third!.bytes === first!.bytes]).toEqual([112_501, true, false]);
  });

  it.each([
    ['', 'is not JSON'],
    ['{', 'is not JSON'],
    ['7', 'is not a JSON object'],
    ['null', 'is not a JSON object'],
    ['[]', 'is not a JSON object'],
  ])('with metadata %j: the metadata %s', async (text, message) => {
    expect(await fault(frameOf(text))).toBe(`the metadata of a frame ${message}`);
  });

  it('that is written counts bytes, not letters', () => {
    expect(encodeFrameHead({ a: 'ü' }, 7).toString()).toBe('chunked 1.0,10,7\n{"a":"ü"}');
  });
});

describe('a generating command', () => {
  const table = { fields: ['a', 'b'], rows: [['1', 'x,y']], messages: [] };
  async function converse(requests: readonly Buffer[], command: Partial<GeneratingCommand<readonly string[]>> = {}) {
    const [input, output, log] = [new MemoryInput(Buffer.concat(requests)), new MemoryOutput(), [] as string[]];
    const whole = { read: (args: readonly string[]) => args, generate: () => Promise.resolve(table), ...command };
    const status = await converseGenerating({ input, output, complain: (line) => log.push(line) }, whole);
    return { status, log, frames: readFrames(output.bytes), input };
  }

  it('answers with all rows at once, then with nothing more', async () => {
    const { status, frames } = await converse([getinfoOf(['v']), executeOf('', false), executeOf('', true)]);
    expect([status, frames]).toEqual([
      0,
      [
        { metadata: { type: 'stateful', generating: true }, body: '' },
        { metadata: { finished: true }, body: 'a,b\n1,"x,y"\n' },
        { metadata: { finished: true }, body: '' },
      ],
    ]);
  });

  it('without rows writes no header, and says what there is to say', async () => {
    const messages = [['WARN', 'slow']] as const;
    const { frames } = await converse([getinfoOf([]), executeOf('')], {
      generate: () => Promise.resolve({ ...table, rows: [], messages } as never),
    });
    expect(frames[1]).toEqual({ metadata: { finished: true, inspector: { messages: [['WARN', 'slow']] } }, body: '' });
  });

  it('is told who asks, as far as splunkd says', async () => {
    const searches: unknown[] = [];
    const generate: GeneratingCommand<readonly string[]>['generate'] = (options, search) => {
      searches.push([options, search]);
      return Promise.resolve(table);
    };
    await converse([getinfoOf(['v', 'w']), executeOf('')], { generate });
    await converse([frameOf({ action: 'getinfo', searchinfo: { username: 'u', owner: 7, args: ['v', 7] } }), executeOf('')], { generate });
    const nobody = { app: null, owner: null, sessionKey: null, splunkdUri: null, user: null };
    expect(searches).toEqual([
      [['v', 'w'], { ...nobody, app: 'ismalicious', sessionKey: 'secret-session-key' }],
      [['v'], { ...nobody, user: 'u' }],
    ]);
  });

  it.each<[string, Buffer[], string, number]>([
    ['execute comes before getinfo', [executeOf('')], 'an execute request comes before getinfo', 0],
    ['the action is another', [getinfoOf([]), frameOf({ action: 'dance' })], 'a request is neither getinfo nor execute', 1],
  ])('ends with an error when %s', async (_name, requests, message, before) => {
    const { status, frames, log } = await converse(requests);
    expect([status, frames.length, log.length]).toEqual([1, before + 1, 1]);
    expect(log[0]).toContain(`broken input: ${message}`);
    expect(frames.at(-1)?.metadata).toMatchObject({ finished: true, ...(before === 0 ? { type: 'stateful', generating: true } : {}) });
    expect('type' in frames.at(-1)!.metadata).toBe(before === 0);
  });

  it('whose search is cancelled ends quietly, and looks no longer', async () => {
    let cancel: (() => void) | undefined;
    const { status, log, frames, input } = await new Promise<Awaited<ReturnType<typeof converse>>>((resolve) => {
      const bytes = Buffer.concat([getinfoOf([]), executeOf('')]);
      const source = new MemoryInput(bytes);
      const output = new MemoryOutput();
      const lines: string[] = [];
      cancel = () => source.cancel();
      void converseGenerating(
        { input: source, output, complain: (line) => lines.push(line) },
        {
          read: () => null,
          generate: (_options, _search, signal) =>
            new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => reject(new Error('given up')));
              cancel?.();
            }),
        },
      ).then((code) => resolve({ status: code, log: lines, frames: readFrames(output.bytes), input: source }));
    });
    expect([status, log, frames.length, input.isWatched]).toEqual([0, [], 1, false]);
  });
});
