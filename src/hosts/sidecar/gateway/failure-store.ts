import type { ClientRequest, IncomingMessage } from 'node:http';
import { createGunzip } from 'node:zlib';

const NAME = Buffer.from('"failure_store"');
const USED = /^"failure_store"\s*:\s*"used"/;
/** More than stands between the name and the end of what it says. */
const SAID_BYTES = 64;

/** Counts, in an answer that comes in parts, the documents that the engine refused and put into the failure store of their data stream. */
export interface FailureStoreCounter {
  add(part: Buffer): void;
  count(): number;
}

/** A counter at zero. */
export function createFailureStoreCounter(): FailureStoreCounter {
  let count = 0;
  let kept: Buffer = Buffer.alloc(0);
  const read = (text: Buffer, end: number) => {
    for (let at = text.indexOf(NAME); at >= 0 && at < end; at = text.indexOf(NAME, at + 1))
      if (USED.test(text.toString('latin1', at, at + SAID_BYTES))) count++;
  };
  return {
    add(part) {
      // What begins in the last bytes may be said in the next part.
      const text = kept.length === 0 ? part : Buffer.concat([kept, part]);
      const end = Math.max(0, text.length - SAID_BYTES);
      read(text, end);
      kept = Buffer.from(text.subarray(end));
    },
    count() {
      read(kept, kept.length);
      kept = Buffer.alloc(0);
      return count;
    },
  };
}

/** Tells how many documents an answer says are in the failure store. One that leaves it out (by `filter_path`) tells nothing. */
export function watchFailureStore(out: ClientRequest, tell: (count: number) => void): void {
  out.once('response', (answer: IncomingMessage) => {
    if (answer.statusCode !== 200) return;
    const counter = createFailureStoreCounter();
    const end = () => {
      const count = counter.count();
      if (count > 0) tell(count);
    };
    if (answer.headers['content-encoding'] !== 'gzip') {
      answer.on('data', counter.add);
      return void answer.once('end', end);
    }
    const gunzip = createGunzip();
    gunzip.on('data', counter.add).once('end', end);
    // The caller gets the answer as it is: one that is damaged is for the caller to refuse.
    gunzip.on('error', end);
    answer.on('data', (part: Buffer) => void gunzip.write(part));
    return void answer.once('close', () => (answer.complete ? gunzip.end() : gunzip.destroy()));
  });
}
