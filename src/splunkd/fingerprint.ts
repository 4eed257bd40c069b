import { statSync } from 'node:fs';
import type { StoreEpoch } from '../engine/cache/verdict-store.ts';
import { sha256 } from '../model/formats/sha256.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What answers rest on besides the providers' words: as long as none of it changes, they are what the engine would say. */
export interface Fingerprint {
  /** Every file that was read, or would have been, and how it stood: settings, lists, overrides, keys, the program. */
  readonly files: readonly (readonly [path: string, state: string])[];
  /** Environment variables with these beginnings, or of a profile (`SOC__…`), and their digest. */
  readonly environment: { readonly prefixes: readonly string[]; readonly digest: string };
  /** The verdict cache: its epoch changes when an answer is replaced or deleted within its lifetime. */
  readonly verdicts: StoreEpoch;
}

/** Notes how everything stands. `ids`: of the providers whose settings may come from the environment. */
export function takeFingerprint(paths: readonly string[], ids: readonly string[], env: Environment, verdicts: StoreEpoch): Fingerprint {
  const prefixes = ['ISMALICIOUS_', 'SPLUNK_HOME', ...ids.map((id) => `${id.toUpperCase()}_`)];
  return {
    files: paths.map((path) => [path, stateOf(path).state] as const),
    environment: { prefixes, digest: digestOf(env, prefixes) },
    verdicts,
  };
}

/** Whether files and environment stand as they were noted. The cache's epoch is the caller's to compare. */
export function stillHolds({ files, environment }: Fingerprint, env: Environment): boolean {
  return digestOf(env, environment.prefixes) === environment.digest && files.every(([path, state]) => stateOf(path).state === state);
}

/** When one of the files was last changed; milliseconds since 1970. */
export function lastChangeMs({ files }: Fingerprint): number {
  return files.reduce((latest, [path]) => Math.max(latest, stateOf(path).changedMs), 0);
}

/** Which file it is, its size and times. One that is empty is like one that is not there: SQLite makes and removes such. */
function stateOf(path: string): { readonly state: string; readonly changedMs: number } {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.size === 0) return { state: '', changedMs: 0 };
  const { ino, size, mtimeMs, ctimeMs } = found;
  return { state: `${ino} ${size} ${mtimeMs} ${ctimeMs}`, changedMs: Math.max(mtimeMs, ctimeMs) };
}

/** Of these only whether they are set: who has another key is told the same, and nothing of a secret goes to disk. */
const SECRET = /(KEY|KEYS|SECRET|TOKEN|PASSWORD|PROXY)$/;

/** Tells whether variables changed. */
function digestOf(env: Environment, prefixes: readonly string[]): string {
  const names = Object.keys(env).filter((name) => name.includes('__') || prefixes.some((prefix) => name.startsWith(prefix)));
  const lines = names.sort().map((name) => `${name}=${SECRET.test(name) && env[name] !== '' ? '(set)' : env[name]}\n`);
  return digestOfText(lines.join(''));
}

/** SHA-256 of a text, in hexadecimal. Node's own takes longer to load than these few lines take to digest. */
export function digestOfText(text: string): string {
  return Buffer.from(sha256(text)).toString('hex');
}
