import { allVerdicts } from '../all-verdicts.ts';
import { errorMessage } from '../../../model/formats/error-message.ts';
import type { StoredVerdict, VerdictStore } from '../verdict-store.ts';
import type { KnownMachines } from './known-machines.ts';

/** Answers that are handed over with one script. */
const CHUNK = 250;

interface Parts {
  readonly local: () => VerdictStore;
  /** Hands over answers; `false`: the server is gone again. */
  readonly tell: (provider: string, answers: readonly (readonly [string, StoredVerdict])[]) => Promise<boolean>;
  readonly machines: KnownMachines;
  readonly onFault: (message: string) => void;
  /** Told whether any are being handed over. */
  readonly onTelling: (isTelling: boolean) => void;
}

/** A server that this machine has not met, or that was emptied, is told what the file of this machine knows: no answer is paid again. */
export class RetoldAnswers {
  readonly #parts: Parts;
  readonly #telling = new Set<string>();
  #isClosed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** `sinceMs`: since when the server is there, by its clock; another number is another server, or one that lost its data. */
  async meet(provider: string, sinceMs: number): Promise<void> {
    if (this.#isClosed || this.#telling.has(provider)) return;
    const { local, machines, onTelling, onFault } = this.#parts;
    const name = `${provider} shared`;
    machines.remember();
    if (local().note(name)?.text === String(sinceMs)) return;
    this.#telling.add(provider);
    onTelling(true);
    try {
      if (await this.#tellAll(provider)) local().setNote(name, String(sinceMs), Math.floor(Date.now() / 1000));
    } catch (error) {
      onFault(`what this machine knows could not be handed to Redis: ${errorMessage(error)}`);
    } finally {
      this.#telling.delete(provider);
      onTelling(this.#telling.size > 0);
    }
  }

  close(): void {
    this.#isClosed = true;
  }

  /** Whether all of it was sent. */
  async #tellAll(provider: string): Promise<boolean> {
    const { local, tell } = this.#parts;
    // Nothing on disk: what this process has yet to hand over waits for the server anyway.
    const path = local().epoch()?.path;
    if (path === undefined) return true;
    local().flush();
    let chunk: [string, StoredVerdict][] = [];
    for await (const { value, ...verdict } of allVerdicts(path, { provider, freshAtS: Math.floor(Date.now() / 1000) })) {
      chunk.push([value, verdict]);
      if (chunk.length < CHUNK) continue;
      if (this.#isClosed || !(await tell(provider, chunk))) return false;
      chunk = [];
    }
    return !this.#isClosed && (chunk.length === 0 || (await tell(provider, chunk)));
  }
}
