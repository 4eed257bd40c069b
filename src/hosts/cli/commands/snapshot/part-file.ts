import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';

/** Characters gathered before they are written. */
const GATHERED = 1 << 20;

/** A file that has its name only when it is whole. */
export interface PartFile {
  write(text: string): void;
  finish(): void;
  drop(): void;
}

/** Opens a file of this user alone. */
export function openPart(path: string): PartFile {
  const part = `${path}.${process.pid}.part`;
  const file = openSync(part, 'w', 0o600);
  let gathered = '';
  const flush = () => {
    writeSync(file, gathered);
    gathered = '';
  };
  return {
    write(text) {
      gathered += text;
      if (gathered.length >= GATHERED) flush();
    },
    finish() {
      flush();
      fsyncSync(file);
      closeSync(file);
      renameSync(part, path);
    },
    drop() {
      closeSync(file);
      rmSync(part, { force: true });
    },
  };
}
