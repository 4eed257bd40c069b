import type { VerdictStore } from '../verdict-store.ts';
import type { RedisKeys } from './redis-keys.ts';
import type { RedisLink } from './redis-link.ts';
import { NOTE } from './redis-scripts.ts';

const MAX_WAITING = 1000;
const NOTE_TEXT = /^(\d{1,15}) (.*)$/s;

/** Small facts about providers, a refusal above all: ours go to the server, what others noted comes with each claim. */
export class NoteExchange {
  readonly #link: RedisLink;
  readonly #keys: RedisKeys;
  /** As it stands at the server, as far as we know. */
  readonly #known = new Map<string, string>();
  readonly #waiting = new Map<string, { readonly provider: string; readonly text: string; readonly atS: number }>();
  /** When each was last written here: what the server said before does not count any more. */
  readonly #writtenAt = new Map<string, number>();
  #writes = 0;

  constructor(link: RedisLink, keys: RedisKeys) {
    this.#link = link;
    this.#keys = keys;
  }

  /** A mark for `take`: taken when the server is asked. */
  get mark(): number {
    return this.#writes;
  }

  write(provider: string, name: string, { text, atS }: { readonly text: string; readonly atS: number }): void {
    this.#writtenAt.set(name, ++this.#writes);
    this.#known.set(name, `${atS} ${text}`);
    if (this.#link.isUp) return this.#send(provider, name, { text, atS });
    if (this.#waiting.size < MAX_WAITING) this.#waiting.set(name, { provider, text, atS });
    return undefined;
  }

  /** Hands over what was noted while the server was away. */
  flush(): void {
    for (const [name, { provider, text, atS }] of this.#waiting) this.#send(provider, name, { text, atS });
    this.#waiting.clear();
  }

  /** What the server said when it was asked at `mark`, name and text in turn. */
  take(said: unknown, mark: number, local: VerdictStore): void {
    if (!Array.isArray(said)) return;
    for (let n = 0; n + 1 < said.length; n += 2) {
      const [name, note] = [String(said[n]), String(said[n + 1])];
      if (this.#known.get(name) === note || (this.#writtenAt.get(name) ?? 0) > mark) continue;
      const [, at, text] = NOTE_TEXT.exec(note) ?? [];
      if (text === undefined) continue;
      this.#known.set(name, note);
      const ours = local.note(name);
      if (ours === null || (ours.text !== text && ours.atS <= Number(at))) local.setNote(name, text, Number(at));
    }
  }

  #send(provider: string, name: string, { text, atS }: { readonly text: string; readonly atS: number }): void {
    void this.#link.run(NOTE, [this.#keys.notes(provider)], [name, atS, text]);
  }
}
