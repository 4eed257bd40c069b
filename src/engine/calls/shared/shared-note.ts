import type { ClientOptions } from '../provider-client.ts';

const DAY_MS = 86_400_000;
/** A note from further ahead than this was written before the clock was set back. */
const AHEAD_MS = 5000;

/** What a note says besides its own: when it was written, and until when it counts; milliseconds since 1970 (UTC). */
interface Timed {
  readonly atMs: number;
  readonly untilMs: number;
}

/** One fact about a provider's account that all processes with the same key share. Reading what is known costs nothing. */
export interface SharedNote<T extends Timed> {
  /** What is known, and for how much longer it counts, 0 when no more: never longer than was written, whatever the clock says. */
  read(): { readonly note: T | null; readonly leftMs: number };
  /** Looks into the store; tells whether another process has written since. */
  hasNews(): boolean;
  write(note: T): void;
  clear(): void;
}

/** `isSound`: tells our own notes from anything else that may stand there. */
export function createSharedNote<T extends Timed>(
  { account, key, store, clock }: ClientOptions,
  kind: string,
  isSound: (note: Partial<T>) => boolean,
): SharedNote<T> {
  let name: string | null = null;
  let lastText = '';
  let note: T | null = null;
  const nameOf = () => (name ??= `${account}.${key()}.${kind}`);
  const spanOf = ({ atMs, untilMs }: T) => Math.min(Math.max(0, untilMs - atMs), DAY_MS);

  function keep(text: string): void {
    lastText = text;
    store.setNote(nameOf(), text, Math.floor(clock.epochMs() / 1000));
  }
  function write(next: T): void {
    note = next;
    keep(JSON.stringify(next));
  }
  return {
    write,
    read() {
      if (note === null) return { note, leftMs: 0 };
      return { note, leftMs: Math.max(0, Math.min(note.untilMs - clock.epochMs(), spanOf(note))) };
    },
    hasNews() {
      const text = store.note(nameOf())?.text ?? '';
      if (text === lastText) return false;
      lastText = text;
      note = parse(text, isSound);
      const nowMs = clock.epochMs();
      // Said anew by our clock, or every process to come would wait the whole time again.
      if (note !== null && note.atMs > nowMs + AHEAD_MS) write({ ...note, atMs: nowMs, untilMs: nowMs + spanOf(note) });
      return true;
    },
    clear() {
      note = null;
      if (lastText !== '') keep('');
    },
  };
}

function parse<T extends Timed>(text: string, isSound: (note: Partial<T>) => boolean): T | null {
  try {
    const found = JSON.parse(text) as Partial<T> | null;
    const isOurs = typeof found === 'object' && found !== null && Number.isFinite(found.atMs) && Number.isFinite(found.untilMs);
    return isOurs && isSound(found) ? (found as T) : null;
  } catch {
    // Cleared, or not ours: nothing is known.
    return null;
  }
}
