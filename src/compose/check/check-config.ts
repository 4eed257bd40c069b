// src/compose/check/: what `config check` reads: everything, whichever program will use it.
import { accessSync, constants } from 'node:fs';
import { ConfigError, type ConfigFault } from '../../config/config-error.ts';
import {
  type Blocks,
  type ConfigFile,
  type ConfigSources,
  type LoadedBlock,
  placedIn,
  placeInFile,
  readBlocks,
} from '../../config/load.ts';
import { certificateFault } from '../../config/client-certificate-settings.ts';
import { toSnakeCase } from '../../config/setting.ts';
import { isShownPath } from '../../config/shown-name.ts';
import { readListenerTls } from '../sidecar-access/listener-tls.ts';
import { readClientCertificate } from '../../engine/calls/http/client-certificate.ts';
import { wordTable } from '../../model/tables/word-table.ts';
import { FEEDS } from '../../feeds/registry.ts';
import { OUTPUTS } from '../../outputs/registry.ts';
import { pipelineBlocks, sourceFaults } from '../../pipeline/open-pipeline.ts';
import { feedBlock, outputBlock } from '../../pipeline/settings/pipeline-settings.ts';
import { profileNames, readSources, type SourceOptions } from '../config-sources.ts';
import { CORE_BLOCKS } from '../core-blocks.ts';
import { crossFaults } from '../engine-config.ts';
import { HOST_SETTINGS } from '../host-settings.ts';
import { readAsDatabase } from '../lists/read-as-database.ts';
import { type KnownProviders, knownProviders } from '../known-providers.ts';
import { unseenFields } from './unseen-fields.ts';
import { keylessWarnings, namedBlocks, wantedBlocks, wantedProviders } from '../wanted-providers.ts';

/** What reading a whole configuration found. */
export interface CheckedConfig {
  readonly faults: readonly ConfigFault[];
  /** What stops nothing but is most likely not meant so, one sentence each. */
  readonly warnings: readonly string[];
  /** Ids of those that are on. */
  readonly providers: readonly string[];
  readonly feeds: readonly string[];
  readonly outputs: readonly string[];
}

/** Settings that name files which have to be there already. */
const FILES = wordTable<readonly string[]>({
  local: ['lists', 'allowLists', 'warningLists', 'falsePositiveLists', 'asnDatabase'],
  'feeds.csv': ['path'],
  'feeds.stix': ['path'],
});

/** Reads every block of a configuration, also those that are off, with every profile. Throws only for a file that cannot be read. */
export async function checkConfig(options: SourceOptions): Promise<CheckedConfig> {
  const sources = await readSources(options);
  const main = await checkSources(sources);
  const faults = [...main.faults];
  for (const name of profileNames(sources)) {
    if (name === sources.profile?.name) continue;
    try {
      const { faults: own } = await checkSources(await readSources({ ...options, profile: name }));
      faults.push(...own.filter((fault) => !faults.some(({ key, place }) => key === fault.key && place === fault.place)));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      faults.push(...error.faults);
    }
  }
  return { ...main, faults };
}

async function checkSources(sources: ConfigSources): Promise<CheckedConfig> {
  const { known, faults } = await knownOrFaults(sources);
  const wanted = wantedBlocks(known);
  const named = namedBlocks(known, wanted);
  const on = { ...CORE_BLOCKS, ...HOST_SETTINGS, ...pipelineBlocks(known.sources), ...wanted };
  const off = { ...named, ...blocksThatAreOff(on) };
  const unnamed = known.ids.map((id) => `providers.${id}`).filter((path) => !(path in on) && !(path in off));
  const foreign = ['providers.custom', 'profile', 'profiles', ...unnamed];
  const { loaded, faults: found } = readBlocks({ ...on, ...off }, known.sources, { foreign, off: new Set(Object.keys(off)) });
  const inUse = Object.fromEntries(Object.entries(loaded).filter(([path]) => path in on));
  faults.push(
    ...found,
    ...crossFaults(inUse, found, known),
    ...fileFaults(on, inUse, sources.file),
    ...placedIn(known.sources.file, [
      ...feedFaults(on, inUse),
      ...certificateFaults(on, inUse),
      ...(await asDatabaseFaults(inUse)),
      ...faultsIn(() => readListenerTls(inUse.sidecar?.values ?? {})),
    ]),
  );
  const asked = wantedProviders(known, inUse);
  const under = (prefix: string) => Object.keys(on).flatMap((path) => (path.startsWith(prefix) ? [path.slice(prefix.length)] : []));
  const doubts = asked.flatMap(({ provider, own }) => {
    const isRead = !faults.some(({ key }) => key.startsWith(`providers.${provider.id}.`));
    const doubt = isRead ? (provider.doubt?.(own as never) ?? null) : null;
    return doubt === null ? [] : [`providers.${provider.id}: ${doubt}`];
  });
  return {
    faults,
    warnings: [...keylessWarnings(known, named), ...doubts, ...unseenFields(asked, inUse)],
    providers: asked.map(({ provider }) => provider.id),
    feeds: under('feeds.'),
    outputs: under('outputs.'),
  };
}

/** With declared providers that cannot be read, the rest is read without them. */
async function knownOrFaults(sources: ConfigSources): Promise<{ known: KnownProviders; faults: ConfigFault[] }> {
  try {
    return { known: await knownProviders(sources), faults: [] };
  } catch (error) {
    const { file } = sources;
    if (!(error instanceof ConfigError) || !file) throw error;
    const { custom: _custom, ...others } = (file.values as { providers: Record<string, unknown> }).providers;
    const values = { ...(file.values as object), providers: others };
    const known = await knownProviders({ ...sources, file: { ...file, values } });
    const faults = error.faults.map((fault) => ({ ...fault, place: placeInFile(file, fault.key.replace(/\[.*$/s, '')) }));
    return { known, faults };
  }
}

function blocksThatAreOff(on: Blocks): Blocks {
  const feeds = FEEDS.map((feed) => [`feeds.${feed.id}`, feedBlock(feed)] as const);
  const outputs = OUTPUTS.map((output) => [`outputs.${output.id}`, outputBlock(output)] as const);
  return Object.fromEntries([...feeds, ...outputs].filter(([path]) => !(path in on)));
}

function feedFaults(on: Blocks, loaded: Readonly<Record<string, LoadedBlock>>): ConfigFault[] {
  return FEEDS.flatMap(({ id }) => (`feeds.${id}` in on ? sourceFaults(id, loaded[`feeds.${id}`]) : []));
}

/** Files that are named and cannot be read. */
function fileFaults(on: Blocks, loaded: Readonly<Record<string, LoadedBlock>>, file: ConfigFile | undefined): ConfigFault[] {
  return Object.keys(on).flatMap((path) =>
    [...(FILES.get(path) ?? []), 'caFile'].flatMap((key) => {
      const value = loaded[path]?.values[key];
      const name = toSnakeCase(key);
      const place = file ? placeInFile(file, `${path}.${name}`) : 'environment';
      return (Array.isArray(value) ? value : [value]).flatMap((one: unknown) => {
        const reason = typeof one === 'string' ? unreadable(one) : null;
        return reason === null
          ? []
          : [
              {
                key: `${path}.${name}`,
                place,
                message: `${isShownPath(String(one)) ? String(one) : 'the file'} cannot be read (${reason})`,
              },
            ];
      });
    }),
  );
}

/** A file that can be read and tells no AS numbers. */
async function asDatabaseFaults({ local }: Readonly<Record<string, LoadedBlock>>): Promise<ConfigFault[]> {
  const path = local?.values['asnDatabase'];
  if (typeof path !== 'string' || unreadable(path) !== null) return [];
  const message = (await readAsDatabase(path)).fault();
  return message === null ? [] : [{ key: 'local.asn_database', place: 'configuration', message }];
}

/** Client certificates that cannot be used: unreadable, without their key, with the wrong passphrase. */
function certificateFaults(on: Blocks, loaded: Readonly<Record<string, LoadedBlock>>): ConfigFault[] {
  return Object.keys(on).flatMap((path) =>
    faultsIn(() => {
      const values = loaded[path]?.values;
      if (values && 'certFile' in (on[path]?.shape ?? {})) readClientCertificate(values, certificateFault(path));
    }),
  );
}

function faultsIn(read: () => unknown): readonly ConfigFault[] {
  try {
    read();
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults;
  }
}

function unreadable(path: string): string | null {
  try {
    accessSync(path, constants.R_OK);
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'there is no such file' : (code ?? 'unknown');
  }
}
