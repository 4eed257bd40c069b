import { closeSync, existsSync, openSync, writeSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';

/** How it is set; seconds, as in the `.conf`. */
export interface FileOutputSettings {
  /** 0: written at once. */
  readonly flushInterval: number;
  /** How often files are closed that nothing was written to since the last look. */
  readonly staleCleanupInterval: number;
}

/** Logstash's file output, for one path. */
export interface FileOutput {
  /** Takes the lines of one batch. */
  receive(lines: readonly string[]): Promise<void>;
  /** Writes what waits, closes, ends the timers. */
  close(): Promise<void>;
}

interface OpenFile {
  readonly fd: number;
  buffer: string;
  isActive: boolean;
}

/**
 * The file output (4.3.0) as a real Logstash 9.3.8 was seen to use it: a file stays open; each batch looks whether its name is still there, and
 * if not, forgets the open file, with what waits in its buffer, and makes a new one. Bytes come in pieces that end inside a line.
 */
export function createFileOutput(path: string, { flushInterval, staleCleanupInterval }: FileOutputSettings): FileOutput {
  let open: OpenFile | null = null;
  let last: Promise<void> = Promise.resolve();
  /** One thing at a time: the output holds its files by a mutex. */
  const alone = (work: () => Promise<void>) => (last = last.then(work));
  const flush = async () => {
    if (open === null || open.buffer === '') return;
    const { fd, buffer } = open;
    open.buffer = '';
    const middle = Math.floor(buffer.length * Math.random());
    writeSync(fd, buffer.slice(0, middle));
    await turn();
    writeSync(fd, buffer.slice(middle));
  };
  const closeFile = async () => {
    await flush();
    if (open !== null) closeSync(open.fd);
    open = null;
  };
  const closeStale = async () => {
    if (open?.isActive === false) await closeFile();
    else if (open !== null) open.isActive = false;
  };
  const timers = [setInterval(() => void alone(closeStale), staleCleanupInterval * 1000)];
  if (flushInterval > 0) timers.push(setInterval(() => void alone(flush), flushInterval * 1000));
  return {
    receive: (lines) =>
      alone(async () => {
        if (open !== null && !existsSync(path)) {
          closeSync(open.fd);
          open = null;
        }
        open ??= { fd: openSync(path, 'a'), buffer: '', isActive: true };
        open.isActive = true;
        open.buffer += lines.map((line) => `${line}\n`).join('');
        if (flushInterval === 0) await flush();
      }),
    close: () => {
      for (const timer of timers) clearInterval(timer);
      return alone(closeFile);
    },
  };
}
