import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline as pump } from 'node:stream/promises';
import { type Command, EXIT, parseAge, parseCount, parseOptions, UsageError } from '../../cli/command.ts';
import { EXPORT_FORMATS, exportStore } from '../export-store.ts';
import { openStoreOf } from './existing-store.ts';

const ACTIONS = ['stats', 'check', 'export', 'purge', 'quarantine', 'replay'] as const;

/** `ismalicious store stats|check|export|purge|quarantine|replay` */
export const storeCommand: Command = {
  name: 'store',
  usage: 'store stats|check|export|purge|quarantine|replay [--format F] [--out FILE] [--older-than AGE] [--output ID]',
  summary: 'Look into the indicator store of the pipeline, export it, clean it up, send quarantined messages again.',
  help: `  stats               what is in it, and how each output's journal stands
  check               read the whole file and say what is broken; exit 1 when something is
  export              all indicators: --format ndjson (default), csv, stix, seed (SHA-256 keyed table of the seed pipeline)
  purge               forget indicators nobody confirmed within --older-than (365d)
  quarantine          messages that were given up, of --output ID, with their reasons
  replay              put quarantined messages of --output ID back; they go with the next run
  --out FILE          write there instead of stdout
  --limit N           most messages to show or put back (1000)`,
  async run(args, io) {
    const options = {
      format: { type: 'string' },
      out: { type: 'string' },
      'older-than': { type: 'string' },
      output: { type: 'string' },
      limit: { type: 'string' },
    } as const;
    const { values, positionals } = parseOptions(args, options);
    const what = ACTIONS.find((action) => action === positionals[0]);
    if (!what) throw new UsageError(`store wants ${ACTIONS.join(', ')}`);
    const format = EXPORT_FORMATS.find((known) => known === (values.format ?? 'ndjson'));
    if (!format) throw new UsageError(`--format has to be one of ${EXPORT_FORMATS.join(', ')}`);
    const limit = parseCount(values.limit ?? '1000', '--limit', 1);
    const ageS = parseAge(values['older-than'] ?? '365d', '--older-than');
    if ((what === 'quarantine' || what === 'replay') && !values.output) throw new UsageError(`store ${what} wants --output ID`);
    const store = await openStoreOf(io.env, { makes: false });
    const nowS = Math.floor(Date.now() / 1000);
    const print = (value: unknown) => void io.stdout.write(`${JSON.stringify(value)}\n`);
    try {
      switch (what) {
        case 'stats': {
          const outputs = await store.outputs();
          print({
            ...(await store.stats()),
            outputs: Object.fromEntries(await Promise.all(outputs.map(async (id) => [id, await store.counts(id)]))),
          });
          break;
        }
        case 'check': {
          const faults = await store.check();
          print({ ok: faults.length === 0, faults });
          return faults.length === 0 ? EXIT.ok : EXIT.failed;
        }
        case 'export':
          await pump(
            Readable.from(exportStore(store, format, nowS)),
            values.out === undefined ? io.stdout : createWriteStream(values.out, { mode: 0o600 }),
            { end: values.out !== undefined },
          );
          break;
        case 'purge':
          print({ purged: await store.purge(nowS - ageS) });
          await store.compact();
          break;
        case 'quarantine':
          for (const message of await store.quarantined(values.output ?? '', limit)) print(message);
          break;
        case 'replay':
          print({ replayed: await store.replay(values.output ?? '', limit) });
      }
      return EXIT.ok;
    } finally {
      await store.close();
    }
  },
};
