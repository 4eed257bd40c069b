// src/hosts/cli/commands/snapshot/: what is known, carried to a site without a network.
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { BatchError } from '../../../../batch/batch-error.ts';
import { createDigest, signatureLine, signingKey, verifiedLines, verifyingKey } from '../../../../batch/snapshot/signed-lines.ts';
import {
  filtered,
  headLine,
  listLine,
  readSnapshot,
  type SnapshotFilter,
  type SnapshotList,
  takeVerdicts,
  verdictLine,
} from '../../../../batch/snapshot/snapshot.ts';
import type { LoadedConfig } from '../../../../compose/engine-config.ts';
import type { OpenedEngine } from '../../../../compose/open-engine.ts';
import { warningListFiles } from '../../../../compose/infrastructure/warning-lists.ts';
import { allVerdicts } from '../../../../engine/cache/all-verdicts.ts';
import type { Engine } from '../../../../engine/engine.ts';
import { INDICATOR_TYPES, type IndicatorType } from '../../../../model/indicator.ts';
import { TLP_LABELS } from '../../../../model/tlp.ts';
import { EXIT, type Io, UsageError } from '../../command.ts';
import type { cacheSynopsis } from '../../synopses/keep.ts';
import type { ValuesOf } from '../../synopsis.ts';
import { openPart } from './part-file.ts';

type Values = ValuesOf<typeof cacheSynopsis.options>;

/** Longest snapshot that is read: it is checked whole before any of it is taken. */
const MOST_BYTES = 1024 ** 3;
/** The setting that names one file, not several. */
const AS_NUMBERS = 'asn_database';

/** `ismalicious cache export FILE --sign KEYFILE` */
export async function exportCache({ engine, config }: OpenedEngine, path: string, values: Values, io: Io): Promise<number> {
  if (values.sign === undefined) throw new UsageError('cache export needs --sign KEYFILE: an Ed25519 key in PEM');
  const key = signingKey(values.sign);
  const filter = filterOf(values, engine);
  engine.store.flush();
  const { path: cache } = engine.store.stats();
  if (cache === null) throw new UsageError('there is no cache on disk to export: see cache.path');
  const digest = createDigest();
  const part = openPart(path);
  const counts = { verdicts: 0, lists: 0 };
  try {
    const write = (line: string) => {
      digest.add(line);
      part.write(line);
    };
    write(headLine(Date.now()));
    // A list has no label of its own: it counts as AMBER, like an answer without one.
    const leavesLists = filter.maxTlp === null || !['CLEAR', 'GREEN'].includes(filter.maxTlp);
    for (const list of leavesLists ? listsOf(config) : []) {
      write(listLine(list));
      counts.lists++;
    }
    for await (const verdict of filtered(allVerdicts(cache), filter)) {
      write(verdictLine(verdict));
      counts.verdicts++;
    }
    part.write(signatureLine(digest.end(), key));
    part.finish();
  } catch (error) {
    part.drop();
    throw error;
  }
  io.stderr.write(`${counts.verdicts} answers and ${counts.lists} lists, signed, in ${path}\n`);
  return EXIT.ok;
}

/** `ismalicious cache import FILE --verify PUBKEY` */
export function importCache({ engine, config }: OpenedEngine, path: string, values: Values, io: Io): number {
  if (values.verify === undefined) throw new UsageError('cache import needs --verify PUBKEY: the public half of the key that signed it');
  const key = verifyingKey(values.verify);
  const { madeAt, verdicts, lists } = readSnapshot(verifiedLines(readWhole(path), key, path), path);
  const { taken, kept, expired } = takeVerdicts(engine.store, verdicts, Math.floor(Date.now() / 1000));
  const words = [`snapshot of ${madeAt}: ${taken} answers taken, ${kept} were here as new or newer`];
  if (expired > 0) words.push(`${expired} of them are past their lifetime: they are shown as stale, or asked for again`);
  const wanted = new Set(config.wanted.map(({ provider }) => provider.id));
  const unused = [...new Set(verdicts.map(({ provider }) => provider))].filter((id) => !wanted.has(id));
  if (unused.length > 0)
    words.push(`answers of ${unused.join(', ')} count as soon as a key is set here: any word will do where there is no network`);
  for (const [setting, paths] of writeLists(lists, join(config.stateFolder, 'imported')))
    words.push(`lists written; to use them set local.${setting}: ${setting === AS_NUMBERS ? paths.join(', ') : `[${paths.join(', ')}]`}`);
  io.stderr.write(words.map((line) => `${line}\n`).join(''));
  return EXIT.ok;
}

function readWhole(path: string): Buffer {
  try {
    if (statSync(path).size > MOST_BYTES)
      throw new BatchError(`${path} is longer than ${MOST_BYTES} bytes: export it in parts, with --type`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof BatchError) throw error;
    throw new BatchError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

function filterOf(values: Values, engine: Engine): SnapshotFilter {
  const types = choicesOf<IndicatorType>(values.type, INDICATOR_TYPES, '--type');
  const tiers = choicesOf(values.tier, ['p1', 'p2', 'watch', 'review', 'log'], '--tier');
  const maxTlp = choicesOf(values.tlp, TLP_LABELS, '--tlp')?.[0] ?? null;
  return {
    types,
    maxTlp,
    hasTier:
      tiers === null
        ? null
        : async (wanted) => {
            const found = await engine.enrichMany(wanted, { mode: 'cache' });
            return new Set(wanted.filter((value) => tiers.some((tier) => tier === found.get(value)?.answer.tier)));
          },
  };
}

function choicesOf<T extends string>(text: string | undefined, known: readonly T[], option: string): T[] | null {
  if (text === undefined) return null;
  return text.split(',').map((word) => {
    const choice = known.find((each) => each.toLowerCase() === word.trim().toLowerCase());
    if (choice === undefined) throw new UsageError(`${option} has to be of ${known.join(', ')}`);
    return choice;
  });
}

/** Every list file that the settings name, and the one that AS numbers on them are matched by. */
function listsOf({ core }: LoadedConfig): SnapshotList[] {
  const { lists, allowLists, warningLists, falsePositiveLists, asnDatabase } = core.local;
  const groups = {
    lists,
    allow_lists: allowLists,
    warning_lists: warningLists,
    false_positive_lists: falsePositiveLists,
    [AS_NUMBERS]: asnDatabase === undefined ? [] : [asnDatabase],
  };
  return Object.entries(groups).flatMap(([list, paths]) =>
    paths
      .flatMap((path) => (list.endsWith('g_lists') || list.startsWith('false') ? warningListFiles(path) : [path]))
      .map((path, n) => ({ list, name: `${n + 1}-${basename(path)}`, content: readFileSync(path) })),
  );
}

/** Writes the lists below a folder; their paths by the setting that takes them. */
function writeLists(lists: readonly SnapshotList[], folder: string): Map<string, string[]> {
  const written = new Map<string, string[]>();
  for (const { list, name, content } of lists) {
    const path = join(folder, list, basename(name));
    mkdirSync(join(folder, list), { recursive: true, mode: 0o700 });
    writeFileSync(`${path}.part`, content, { mode: 0o600 });
    rmSync(path, { force: true });
    renameSync(`${path}.part`, path);
    written.set(list, [...(written.get(list) ?? []), path]);
  }
  return written;
}
