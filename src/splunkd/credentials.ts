import { loadConfig } from '../config/load.ts';
import type { ConfigSources } from '../config/load.ts';
import { isYounger } from '../engine/clock.ts';
import { APP_ID, readAppConf } from './app-conf.ts';
import type { AppPlace } from './app-conf.ts';
import type { ConfStanzas } from './conf-file.ts';
import { forgetRefusedKeys, noteRefusedKeys, recentlyRefusedKeys } from './refused-keys.ts';
import { openSealedKeys, sealKeys } from './sealed-keys.ts';
import type { SealedKeys } from './sealed-keys.ts';
import { SPLUNK_BLOCKS } from './splunk-settings.ts';
import { openSplunkd, SplunkdError } from './splunkd.ts';
import type { Splunkd, SplunkdOptions, SplunkdSession } from './splunkd.ts';

/** The app's own conf file. */
export const CONF_FILE = 'ismalicious.conf';

/** The settings of the app with its secrets, and what a user should know about them. */
export interface AppSettings {
  readonly conf: NonNullable<ConfigSources['conf']>;
  /** Why secrets could not be read; `null`: they were, or nobody needed to. */
  readonly fault: string | null;
  /** Whether any user's search would get the same: what splunkd says depends on who asks. */
  readonly isForAll: boolean;
}

/** Who asks, from where and when. */
export interface Asking extends AppPlace {
  readonly session: SplunkdSession | null;
  /** Seconds since 1970 (UTC). */
  readonly nowS: number;
}

// The scheduled input seals every five minutes; a file older than three of its turns means that it does not run.
const FRESH_S = 900;

/**
 * Settings of the app: its conf files, then the secrets of the credential store. Those come from the file that the app's input seals; where
 * that does not run, splunkd is asked on the user's behalf, and what an admin may read is sealed for the others.
 */
export async function readAppSettings(asking: Asking): Promise<AppSettings> {
  const stanzas = readAppConf(CONF_FILE, asking);
  const sealed = openSealedKeys(asking.env);
  const isFresh = sealed !== null && isYounger(sealed.atS, asking.nowS, FRESH_S);
  if (isFresh || asking.session === null) return { conf: confOf(stanzas, sealed?.secrets ?? {}), fault: null, isForAll: true };
  const refused = recentlyRefusedKeys(asking);
  if (refused !== null) return { conf: confOf(stanzas, sealed?.secrets ?? {}), fault: sealed === null ? refused : null, isForAll: true };
  try {
    const keys = await refreshKeys(asking.session, stanzas, asking);
    return { conf: confOf(stanzas, keys.secrets), fault: null, isForAll: false };
  } catch (error) {
    const fault = `the app's keys cannot be read: ${error instanceof Error ? error.message : 'unknown fault'}`;
    // Whom splunkd refuses depends on who asks; that it cannot be reached does not.
    const isForAll = !(error instanceof SplunkdError && error.status > 0);
    if (isForAll) noteRefusedKeys(fault, asking);
    return { conf: confOf(stanzas, sealed?.secrets ?? {}), fault: sealed === null ? fault : null, isForAll };
  }
}

/** Asks splunkd for the app's secrets and seals them for programs that may not ask. Throws `SplunkdError`. */
export async function refreshKeys(
  session: SplunkdSession,
  stanzas: ConfStanzas,
  { env, nowS }: Omit<Asking, 'session'>,
): Promise<SealedKeys> {
  const splunkd = await openSplunkd(session, splunkdOptions(stanzas, env));
  try {
    const keys = { secrets: await splunkd.secrets(APP_ID), atS: nowS };
    sealKeys(keys, env);
    forgetRefusedKeys(env);
    return keys;
  } finally {
    await splunkd.close();
  }
}

/** A session with splunkd as the app's conf says. */
export function openAppSplunkd(session: SplunkdSession, asking: AppPlace): Promise<Splunkd> {
  return openSplunkd(session, splunkdOptions(readAppConf(CONF_FILE, asking), asking.env));
}

function splunkdOptions(stanzas: ConfStanzas, env: AppPlace['env']): SplunkdOptions {
  const loaded = loadConfig(SPLUNK_BLOCKS, { conf: { name: CONF_FILE, values: stanzas }, env });
  return { settings: loaded.splunkd?.values as unknown as SplunkdOptions['settings'], env };
}

/** Secrets are settings like any other: `virustotal.api_key` is `api_key` under `[providers.virustotal]`. */
function confOf(stanzas: ConfStanzas, secrets: Readonly<Record<string, string>>): AppSettings['conf'] {
  const values: ConfStanzas = { ...stanzas };
  for (const [name, secret] of Object.entries(secrets)) {
    const dot = name.lastIndexOf('.');
    if (dot <= 0) continue;
    const block = name.slice(0, dot);
    const path = block.includes('.') || block in SPLUNK_BLOCKS || block === 'triage' ? block : `providers.${block}`;
    values[path] = { ...values[path], [name.slice(dot + 1)]: secret };
  }
  return { name: CONF_FILE, values };
}
