import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod/mini';
import { makePrivateFolder } from '../disk/private-files.ts';
import { stateFolder } from '../compose/state-folder.ts';
import { builtinModule } from '../disk/builtin-module.ts';

/** Secrets of the app by their names in the credential store, and when splunkd was asked for them. */
export interface SealedKeys {
  readonly secrets: Readonly<Record<string, string>>;
  /** Seconds since 1970 (UTC). */
  readonly atS: number;
}

const FILE = 'keys.sealed';
/** Written when other secrets are sealed than before; sealing the same again leaves it alone. */
const CHANGED_FILE = 'keys.changed';
const PURPOSE = 'ismalicious keys v1';
const CIPHER = 'aes-256-gcm';

const Sealed = z.object({ v: z.literal(1), salt: z.string(), iv: z.string(), tag: z.string(), text: z.string() });
const Content = z.object({ secrets: z.record(z.string(), z.string()), atS: z.number() });

/**
 * Keeps the secrets for programs whose user may not read the credential store: encrypted with the key that also protects Splunk's own
 * passwords (etc/auth/splunk.secret), in a file only the Splunk user reads. Who can open it can read passwords.conf as well.
 * Answers whether it could.
 */
export function sealKeys(keys: SealedKeys, env: Readonly<Record<string, string | undefined>>): boolean {
  const master = readMaster(env);
  if (master === null) return false;
  const before = openSealedKeys(env);
  const { createCipheriv, randomBytes } = builtinModule('node:crypto');
  const salt = randomBytes(16);
  const iv = randomBytes(12);
  const cipher = createCipheriv(CIPHER, keyOf(master, salt), iv);
  const text = Buffer.concat([cipher.update(JSON.stringify(keys)), cipher.final()]);
  const sealed = { v: 1, salt: toText(salt), iv: toText(iv), tag: toText(cipher.getAuthTag()), text: toText(text) };
  const path = pathOf(env);
  const part = `${path}.${process.pid}`;
  makePrivateFolder(dirname(path));
  writeFileSync(part, JSON.stringify(sealed), { mode: 0o600 });
  chmodSync(part, 0o600);
  renameSync(part, path);
  const isSame = before !== null && sortedText(before.secrets) === sortedText(keys.secrets);
  if (!isSame) writeFileSync(changedKeysPath(env), String(keys.atS), { mode: 0o600 });
  return true;
}

/** A file that changes when the secrets do: answers that rest on them are good as long as it stands. */
export function changedKeysPath(env: Readonly<Record<string, string | undefined>>): string {
  return join(stateFolder(env, true), CHANGED_FILE);
}

/** What was sealed last; `null` when there is nothing, or it was sealed with another key. */
export function openSealedKeys(env: Readonly<Record<string, string | undefined>>): SealedKeys | null {
  const master = readMaster(env);
  if (master === null) return null;
  try {
    const { salt, iv, tag, text } = Sealed.parse(JSON.parse(readFileSync(pathOf(env), 'utf8')));
    const { createDecipheriv } = builtinModule('node:crypto');
    const decipher = createDecipheriv(CIPHER, keyOf(master, fromText(salt)), fromText(iv));
    decipher.setAuthTag(fromText(tag));
    return Content.parse(JSON.parse(Buffer.concat([decipher.update(fromText(text)), decipher.final()]).toString('utf8')));
  } catch {
    // Not there yet, or splunk.secret was changed since: splunkd is asked again.
    return null;
  }
}

function readMaster({ SPLUNK_HOME: home }: Readonly<Record<string, string | undefined>>): Buffer | null {
  if (!home) return null;
  try {
    return readFileSync(join(home, 'etc', 'auth', 'splunk.secret'));
  } catch {
    // Not ours to read: nothing is sealed.
    return null;
  }
}

function pathOf(env: Readonly<Record<string, string | undefined>>): string {
  return join(stateFolder(env, true), FILE);
}

function keyOf(master: Buffer, salt: Buffer): Buffer {
  const { hkdfSync } = builtinModule('node:crypto');
  return Buffer.from(hkdfSync('sha256', master, salt, PURPOSE, 32));
}

function sortedText(secrets: SealedKeys['secrets']): string {
  return JSON.stringify(Object.entries(secrets).sort());
}

function toText(bytes: Buffer): string {
  return bytes.toString('base64');
}

function fromText(text: string): Buffer {
  return Buffer.from(text, 'base64');
}
