// src/compose/lists/: what is known without asking anybody: own lists, what feeds listed, and the AS numbers of addresses.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { epochS, systemClock } from '../../engine/clock.ts';
import type { AsDatabase } from '../../engine/as-numbers/as-database.ts';
import { findSqlite, NoSqliteError } from '../../engine/cache/load-sqlite.ts';
import type { LocalSource, SystemLists } from '../../engine/privacy/local-source.ts';
import { readSources } from '../config-sources.ts';
import type { LoadedConfig, OpenOptions } from '../engine-config.ts';
import { warningListFiles } from '../infrastructure/warning-lists.ts';
import { openLocalLists } from './local-lists.ts';

/** Opens the lists that the settings name, with what feeds listed behind them. `tell`: told what goes wrong although the lists answer. */
export async function openLists(config: LoadedConfig, options: OpenOptions, tell: (message: string) => void): Promise<LocalSource> {
  const { asnDatabase, pipelineStore } = config.core.local;
  const asDatabase =
    asnDatabase === undefined ? null : (await import('../../engine/as-numbers/as-database.ts')).asDatabaseAt(asnDatabase, tell);
  const own = await openOwn(config, options, asDatabase);
  const isStoreUsed = pipelineStore && options.usesPipelineStore !== false;
  const lists = isStoreUsed ? await withPipelineStore(own, config, { ...options, onFault: tell }, asDatabase) : own;
  if (asDatabase === null) return lists;
  const { withAsNumbers } = await import('../../engine/as-numbers/with-as-numbers.ts');
  return withAsNumbers(lists, asDatabase);
}

/** Every file that they are read from; those that are not there too. */
export function listFiles(config: LoadedConfig): string[] {
  const { lists, allowLists, warningLists, falsePositiveLists, asnDatabase, pipelineStore } = config.core.local;
  const store = pipelineStorePath(config);
  return [
    ...lists,
    ...allowLists,
    ...[...warningLists, ...falsePositiveLists].flatMap(warningListFiles),
    ...(asnDatabase === undefined ? [] : [asnDatabase]),
    ...(pipelineStore ? [store, `${store}-wal`] : []),
  ];
}

async function openOwn({ core, wanted }: LoadedConfig, { stays }: OpenOptions, asDatabase: AsDatabase | null): Promise<SystemLists> {
  const { lists, allowLists, warningLists, falsePositiveLists, sample } = core.local;
  return openLocalLists({
    lists,
    allowLists,
    warningLists,
    falsePositiveLists,
    asDatabase,
    sample: (sample ?? wanted.length === 0) ? (await import('../../providers/local/sample-feed.ts')).SAMPLE_FEED : null,
    watches: stays === true,
  });
}

function pipelineStorePath({ stateFolder }: LoadedConfig): string {
  return join(stateFolder, 'pipeline.sqlite');
}

/** The pipeline's store behind the lists; its code is read only where there is such a file, or may be one. */
async function withPipelineStore(
  lists: SystemLists,
  config: LoadedConfig,
  options: OpenOptions,
  asDatabase: AsDatabase | null,
): Promise<SystemLists> {
  const path = pipelineStorePath(config);
  if (!existsSync(path) && options.stays !== true) return lists;
  if ((await findSqlite()) === null) {
    if (existsSync(path)) options.onFault?.(`${new NoSqliteError('the store of the pipeline').message}: what it lists does not count`);
    return lists;
  }
  const { withStore, storedHalfLives } = await import('../../pipeline/store-source.ts');
  return withStore(lists, {
    path,
    halfLives: storedHalfLives(await readSources(options)),
    nowS: () => epochS(systemClock),
    hasAsNumbers: asDatabase !== null,
    watches: options.stays === true,
    ...(options.onFault ? { onFault: options.onFault } : {}),
  });
}
