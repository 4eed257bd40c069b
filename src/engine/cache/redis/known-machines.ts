import type { VerdictStore } from '../verdict-store.ts';

/** What the store of this machine keeps the names under. */
const NOTE = 'redis machines';
/** FNV-1a, 32 bits, of UTF-16 code units: http://www.isthe.com/chongo/tech/comp/fnv/ */
const FNV_OFFSET = 2_166_136_261;
const FNV_PRIME = 16_777_619;

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
  let hash = FNV_OFFSET;
  for (let n = 0; n < text.length; n++) hash = Math.imul(hash ^ text.charCodeAt(n), FNV_PRIME);
  // Values that differ in their last character only lie close together: spread, as MurmurHash3 ends.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2_b2_ae_35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
