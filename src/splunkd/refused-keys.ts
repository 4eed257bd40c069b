import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod/mini';
import { makePrivateFolder } from '../disk/private-files.ts';
import { isYounger } from '../engine/clock.ts';
import { stateFolder } from '../compose/state-folder.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const FILE = 'keys.refused.json';
/** A refusal is believed this long: asking again costs every search a tenth of a second, and answers no sooner. */
const BELIEVED_S = 300;

const Refusal = z.object({ message: z.string(), atS: z.number() });

function pathOf(env: Environment): string {
  return join(stateFolder(env, true), FILE);
}

/** Remembers that splunkd did not give the keys, and why; the message holds no secret. A disk that refuses only means asking again. */
export function noteRefusedKeys(message: string, { env, nowS }: { readonly env: Environment; readonly nowS: number }): void {
  try {
    makePrivateFolder(dirname(pathOf(env)));
    writeFileSync(pathOf(env), JSON.stringify({ message, atS: nowS }), { mode: 0o600 });
  } catch {
    rmSync(pathOf(env), { force: true });
  }
}

/** Why splunkd did not give the keys lately; `null`: it was not asked, or it did. */
export function recentlyRefusedKeys({ env, nowS }: { readonly env: Environment; readonly nowS: number }): string | null {
  try {
    const { message, atS } = Refusal.parse(JSON.parse(readFileSync(pathOf(env), 'utf8')));
    return isYounger(atS, nowS, BELIEVED_S) ? message : null;
  } catch {
    // Never refused, or long forgotten.
    return null;
  }
}

/** The keys were given: whatever was refused before no longer counts. */
export function forgetRefusedKeys(env: Environment): void {
  rmSync(pathOf(env), { force: true });
}
