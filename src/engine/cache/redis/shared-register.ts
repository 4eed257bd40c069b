import { randomBytes } from 'node:crypto';
import { errorMessage } from '../../../model/formats/error-message.ts';
import type { RedisKeys } from './redis-keys.ts';
import type { RedisLink } from './redis-link.ts';
import { EXCHANGE } from './redis-scripts.ts';
import type { RegisterPlace, RegisterRow } from './shared-cache.ts';

/** Rows that are sent with one call, and that one answer of the server brings. */
const MOST_ROWS = 500;
/** So many failures in a row are told, once. */
const TOLD_AT = 3;
const ROW_TEXT = /^(\d{1,15}) (.*)$/s;

interface Parts {
  readonly link: RedisLink;
  /** Keys of the rows, and of the order in which they changed. */
  readonly keys: readonly string[];
  /** Told what is wrong at this machine's place, once. */
  readonly onFault: (message: string) => void;
}

interface Said {
  readonly server: string;
  readonly since: string;
  readonly rows: readonly RegisterRow[];
}

/** All registers of this process. */
export interface Registers {
  /** Resolves when it was exchanged once, or Redis is away. */
  add(name: string, place: RegisterPlace): Promise<void>;
  settle(): Promise<void>;
}

/** None yet. */
export function createRegisters({ link, keys, onFault }: Pick<Parts, 'link' | 'onFault'> & { readonly keys: RedisKeys }): Registers {
  const registers: SharedRegister[] = [];
  return {
    add(name, place) {
      const register = new SharedRegister({ link, keys: keys.register(name), onFault }, place);
      registers.push(register);
      return register.settle();
    },
    async settle() {
      await Promise.all(registers.map((register) => register.settle()));
    },
  };
}

/**
 * What people decided, shared by all machines: of each name the newest counts. Each machine keeps all of it itself, and tells a server that
 * lost it. What is decided where an earlier decision is known is newer than that one, whatever the clocks say.
 */
class SharedRegister {
  readonly #parts: Parts;
  readonly #place: RegisterPlace;
  /** As it was last the same here and there. */
  readonly #agreed = new Map<string, RegisterRow>();
  /** What this server knows. */
  readonly #known = new Set<string>();
  #server = '';
  #since = '0';
  /** The place's version when all of it had been sent. */
  #sent: string | null = null;
  #running: Promise<void> | null = null;
  #isWanted = false;
  #failures = 0;

  constructor(parts: Parts, place: RegisterPlace) {
    this.#parts = parts;
    this.#place = place;
  }

  /** Sends what changed here, and takes what changed elsewhere. Never rejects: what fails is told, and done the next time. */
  settle(): Promise<void> {
    this.#isWanted = true;
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (this.#isWanted) {
        this.#isWanted = false;
        await this.#exchange();
      }
      this.#failures = 0;
    } catch (error) {
      // A file that is locked for a moment is free the next time.
      if (++this.#failures === TOLD_AT) this.#parts.onFault(errorMessage(error));
    } finally {
      this.#running = null;
    }
  }

  async #exchange(): Promise<void> {
    const version = this.#parts.link.isUp ? await this.#place.version() : null;
    if (version === null) return;
    let unsent = version === this.#sent ? [] : await this.#unsent();
    for (let isMore = true; isMore;) {
      const said = await this.#ask(unsent.slice(0, MOST_ROWS));
      if (said === null) return;
      unsent = unsent.slice(MOST_ROWS);
      if (said.server !== this.#server) {
        const isFirst = this.#server === '';
        this.#server = said.server;
        this.#sent = null;
        this.#known.clear();
        if (!isFirst) unsent = await this.#unsent();
      }
      await this.#take(said.rows);
      this.#since = said.since;
      isMore = unsent.length > 0 || said.rows.length === MOST_ROWS;
    }
    this.#sent = version;
  }

  async #unsent(): Promise<RegisterRow[]> {
    const rows = await this.#place.rows();
    return rows.filter(({ name, text }) => !this.#known.has(name) || this.#agreed.get(name)?.text !== text).map((row) => this.#dated(row));
  }

  /** When it was decided, as the others are told. */
  #dated(row: RegisterRow): RegisterRow {
    const agreed = this.#agreed.get(row.name);
    if (agreed === undefined) return row;
    return agreed.text === row.text ? agreed : { ...row, atMs: Math.max(row.atMs, agreed.atMs + 1) };
  }

  async #ask(rows: readonly RegisterRow[]): Promise<Said | null> {
    const said = await this.#parts.link.run(EXCHANGE, this.#parts.keys, [
      this.#server,
      this.#since,
      MOST_ROWS,
      randomBytes(8).toString('hex'),
      ...rows.flatMap(({ name, atMs, text }) => [name, atMs, text]),
    ]);
    if (!Array.isArray(said) || !Array.isArray(said[2])) return null;
    const found = said[2] as unknown[];
    const read: RegisterRow[] = [];
    for (let n = 0; n + 1 < found.length; n += 2) {
      const [, at, text] = ROW_TEXT.exec(String(found[n + 1])) ?? [];
      read.push({ name: String(found[n]), atMs: Number(at ?? 0), text: text ?? '' });
    }
    return { server: String(said[0]), since: String(said[1]), rows: read };
  }

  async #take(said: readonly RegisterRow[]): Promise<void> {
    const news = said.filter((row) => this.#agreed.get(row.name)?.text !== row.text);
    if (news.length > 0) {
      const here = new Map((await this.#place.rows()).map((row) => [row.name, row]));
      const later = news.filter((row) => isLater(row, here.get(row.name), (own) => this.#dated(own)));
      if (later.length > 0) await this.#place.take(later.map((row) => ({ ...row, was: here.get(row.name)?.text ?? null })));
    }
    for (const row of said) {
      this.#agreed.set(row.name, row);
      this.#known.add(row.name);
    }
  }
}

function isLater(row: RegisterRow, own: RegisterRow | undefined, dated: (own: RegisterRow) => RegisterRow): boolean {
  if (own === undefined) return true;
  if (own.text === row.text) return false;
  // Of two at the same moment the server has chosen.
  return dated(own).atMs <= row.atMs;
}
