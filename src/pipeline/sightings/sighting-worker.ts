import { errorMessage } from '../../model/formats/error-message.ts';
import { parentPort, workerData } from 'node:worker_threads';
import { openStoreCore } from '../../store/store.ts';
import { createSightingReader, type SightingForm } from './sighting-reader.ts';

const FLUSH_MS = 2000;
const FLUSH_ROWS = 20_000;
const DAY_MS = 86_400_000;
const DAY_S = 86_400;

/** What the worker is started with. */
export interface SightingWorkerData {
  readonly path: string;
  readonly fields: readonly string[];
  /** Days a sighting is kept, and how many rows at most. */
  readonly keepDays: number;
  readonly maxRows: number;
}

/** Texts of events in one buffer: `parts` names the place and form of each. `close`: write what is left, then end. */
export type SightingMessage =
  | { readonly kind: 'texts'; readonly bytes: Uint8Array; readonly parts: readonly SightingPart[] }
  | { readonly kind: 'close' };

/** One text in the buffer. */
export interface SightingPart {
  readonly form: SightingForm;
  readonly start: number;
  readonly end: number;
}

/** What it says: how many bytes it has read, how many rows it wrote, and why it could not write. */
export type SightingReply =
  | { readonly kind: 'read'; readonly bytes: number }
  | { readonly kind: 'written'; readonly rows: number }
  | { readonly kind: 'fault'; readonly message: string; readonly rows: number };

const port = parentPort;
if (port) {
  const { path, fields, keepDays, maxRows } = workerData as SightingWorkerData;
  const nowS = () => Math.floor(Date.now() / 1000);
  const reader = createSightingReader({ fields, nowS });
  const store = openStoreCore(path);
  const say = (reply: SightingReply) => port.postMessage(reply);
  const attempt = (rows: number, work: () => void) => {
    try {
      work();
    } catch (error) {
      say({ kind: 'fault', message: errorMessage(error), rows });
    }
  };
  let flushedMs = Date.now();
  const flush = () => {
    flushedMs = Date.now();
    const rows = reader.drain();
    if (rows.length === 0) return;
    attempt(rows.length, () => {
      store.recordSightings(rows);
      say({ kind: 'written', rows: rows.length });
    });
  };
  const forget = () => attempt(0, () => store.forgetSightings(nowS() - keepDays * DAY_S, maxRows));
  const timers = [setInterval(flush, FLUSH_MS), setInterval(forget, DAY_MS)];
  forget();
  port.on('message', (message: SightingMessage) => {
    if (message.kind === 'close') {
      for (const timer of timers) clearInterval(timer);
      flush();
      store.close();
      port.close();
      return;
    }
    const { bytes, parts } = message;
    const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const { form, start, end } of parts) attempt(0, () => reader.read(whole.toString('utf8', start, end), form));
    say({ kind: 'read', bytes: bytes.byteLength });
    // Timers wait for as long as messages come without a pause.
    if (reader.size >= FLUSH_ROWS || Date.now() - flushedMs >= FLUSH_MS) flush();
  });
}
