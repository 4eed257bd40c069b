import { sha256 } from '../../../model/formats/sha256.ts';
import type { VerdictStore } from '../verdict-store.ts';

/** What the store of this machine keeps the names under. */
const NOTE = 'redis machines';

interface Parts {
  readonly local: () => VerdictStore;
  /** Names of the processes that were last seen at the server. */
  readonly processes: () => readonly string[];
  readonly machine: string;
  /** Processes that there are, as the settings say; `null`: they do not. */
  readonly replicas: number | null;
}

/** A name of its own for a process of a machine. */
export function processName(machine: string, random: string): string {
  return `${machine}.${random}`;
}

/** The machines that share a server, as far as this one knows; a process that is started while the server is away knows what one before it saw. */
export class KnownMachines {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** In order, so that all come to the same list; empty: none was ever seen. */
  names(): readonly string[] {
    const { local, machine, replicas } = this.#parts;
    const seen = this.#seen();
    if (seen.length > 0) return seen;
    const noted = local().note(NOTE)?.text ?? '';
    return noted === '' ? (replicas === 1 ? [machine] : []) : noted.split(' ');
  }

  remember(): void {
    const text = this.#seen().join(' ');
    const { local } = this.#parts;
    if (text !== '' && local().note(NOTE)?.text !== text) local().setNote(NOTE, text, Math.floor(Date.now() / 1000));
  }

  #seen(): readonly string[] {
    return [...new Set(this.#parts.processes().map((name) => name.slice(0, name.indexOf('.'))))].toSorted();
  }
}

/**
 * Whose a value is among machines that cannot talk to each other: each comes to the same result, and when one of them leaves only its values
 * move (rendezvous hashing). `null`: there are no machines.
 */
export function ownerOf(value: string, machines: readonly string[]): string | null {
  let owner: string | null = null;
  let most = -1;
  for (const machine of machines) {
    const weight = weightOf(`${machine}\n${value}`);
    if (weight > most || (weight === most && owner !== null && machine < owner)) [owner, most] = [machine, weight];
  }
  return owner;
}

function weightOf(text: string): number {
  return new DataView(sha256(text).buffer).getUint32(0);
}
