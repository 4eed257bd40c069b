import type * as z from 'zod/mini';
import type { FeedbackStore } from '../../../engine/feedback/overrides.ts';
import type { AuditOrigin } from '../../../engine/privacy/audit-log.ts';
import { ignoreTlsSwitch } from '../../../engine/calls/http/tls-switch.ts';
import { unaskable } from '../../../compose/askable.ts';
import type { LoadedConfig } from '../../../compose/engine-config.ts';
import { answeringFiles, openEngine } from '../../../compose/open-engine.ts';
import { appConfPaths } from '../../../splunkd/app-conf.ts';
import { CONF_FILE, openAppSplunkd, readAppSettings } from '../../../splunkd/credentials.ts';
import type { AppEngine } from '../../../splunkd/kv-verdicts.ts';
import { UsageError } from '../../../splunkd/option-words.ts';
import { takeFingerprint, type Fingerprint } from '../../../splunkd/fingerprint.ts';
import { changedKeysPath } from '../../../splunkd/sealed-keys.ts';
import { type KvStoreSettings, type SearchSettings, SPLUNK_BLOCKS } from '../../../splunkd/splunk-settings.ts';
import type { SplunkdSession } from '../../../splunkd/splunkd.ts';

/** What splunkd said about the search; nobody asks splunkd without a session. */
export interface AskingSearch {
  readonly sessionKey: string | null;
  readonly splunkdUri: string | null;
  readonly owner?: string | null;
  /** Id of the search. */
  readonly sid?: string | null;
}

/** The engine of a search, what it was made from, and what the user should know. */
export interface OpenedEngineForSearch {
  readonly engine: AppEngine;
  readonly config: LoadedConfig;
  /** Analysts' overrides, for the command that takes and shows them. */
  readonly feedback: FeedbackStore;
  readonly warnings: readonly string[];
  /** What its answers rest on, as it stands now; `null`: on who asks, or on what no file tells. */
  readonly fingerprint: () => Fingerprint | null;
}

/**
 * Opens the engine as configured, for a search that asks `wanted` (`null`: everybody) with the settings of a profile of the configuration
 * file; `traces`: answers say where they come from. Throws `UsageError` for a provider it cannot ask, `ConfigError` for a profile that is not there.
 */
export async function openEngineForSearch(
  wanted: readonly string[] | null,
  search?: AskingSearch,
  profile?: string,
  traces?: boolean,
): Promise<OpenedEngineForSearch> {
  const tlsWarning = ignoreTlsSwitch();
  const { conf, fault, isForAll } = await readAppSettings({
    program: process.argv[1],
    env: process.env,
    session: sessionOf(search),
    nowS: Math.trunc(Date.now() / 1000),
  });
  const origin = originOf(search);
  const opened = await openEngine({
    env: process.env,
    isSplunk: true,
    conf,
    blocks: SPLUNK_BLOCKS,
    profile,
    origin,
    ...(traces && { traces }),
  });
  const { engine, config, feedback } = opened;
  const warnings = tlsWarning === null ? opened.warnings : [tlsWarning, ...opened.warnings];
  const { unknown, keyless: missing, configured } = unaskable(wanted ?? [], config);
  if (unknown.length > 0) {
    await engine.close();
    throw new UsageError(`isMalicious: providers="${unknown.join(',')}" is not known; the providers are ${config.knownIds.join(', ')}.`);
  }
  // Who has keys from elsewhere needs none of the credential store.
  const notes = fault !== null && (config.wanted.length === 0 || missing.length > 0) ? [fault, ...warnings] : warnings;
  if (missing.length === 0) {
    const fingerprint = () => (isForAll ? fingerprintNow(engine, config) : null);
    return { engine: await shared(engine, config, sessionOf(search)), config, feedback, warnings: notes, fingerprint };
  }
  await engine.close();
  throw new UsageError(
    `isMalicious: providers="${missing.join(',')}" has no key yet; configured are ${configured.join(', ')}. ${fault ?? 'Set its key, or leave it out.'}`,
  );
}

/** Whom the audit log names: a search of somebody, or a lookup, which splunkd starts without saying for whom. */
function originOf(search: AskingSearch | undefined): AuditOrigin {
  return { program: 'splunk', user: search?.owner, search: search?.sid };
}

function fingerprintNow({ store }: AppEngine, config: LoadedConfig): Fingerprint | null {
  const place = { program: process.argv[1], env: process.env };
  const { remember } = (config.blocks.search?.values ?? {}) as z.output<typeof SearchSettings>;
  const epoch = remember ? store.epoch() : null;
  if (epoch === null || place.program === undefined) return null;
  const named = process.env.ISMALICIOUS_CONFIG;
  const files = [place.program, ...appConfPaths(CONF_FILE, place), ...(named ? [named] : []), changedKeysPath(process.env)];
  return takeFingerprint([...files, ...answeringFiles(config)], config.knownIds, process.env, epoch);
}

/** How splunkd is reached on the user's behalf; `null`: it is not. */
export function sessionOf(search: AskingSearch | undefined): SplunkdSession | null {
  return search?.sessionKey && search.splunkdUri ? { uri: search.splunkdUri, sessionKey: search.sessionKey } : null;
}

/** The engine, sharing its answers through the KV store where that is switched on and splunkd can be asked. */
async function shared(engine: AppEngine, { blocks, wanted }: LoadedConfig, session: SplunkdSession | null): Promise<AppEngine> {
  const { share, batchSize, maxRowsPerSearch } = (blocks.kvstore?.values ?? {}) as z.output<typeof KvStoreSettings>;
  if (!share || session === null || wanted.length === 0) return engine;
  const { shareThroughKvStore } = await import('../../../splunkd/kv-verdicts.ts');
  const splunkd = await openAppSplunkd(session, { program: process.argv[1], env: process.env });
  return shareThroughKvStore(engine, splunkd, { batchSize, maxRows: maxRowsPerSearch, nowS: () => Math.trunc(Date.now() / 1000) });
}
