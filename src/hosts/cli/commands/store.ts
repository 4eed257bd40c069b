import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline as pump } from 'node:stream/promises';
import { EXPORT_FORMATS } from '../../../pipeline/export-formats.ts';
import { type Command, EXIT, parseAge, parseCount, UsageError } from '../command.ts';
import { parseOptions } from '../parse-options.ts';
import { storeSynopsis } from '../synopses/keep.ts';
import { readFeedQuarantine } from '../../../pipeline/feed-quarantine.ts';
import { exportStore } from '../../../pipeline/export-store.ts';
import { openStoreOf } from '../existing-store.ts';

/** `ismalicious store stats|check|export|purge|quarantine|replay` */
export const storeCommand: Command = {
  synopsis: storeSynopsis,
  async run(args, io) {
    const { values, action: what } = parseOptions(args, storeSynopsis);
    const format = EXPORT_FORMATS.find((known) => known === values.format) ?? 'ndjson';
    const limit = parseCount(values.limit ?? '1000', '--limit', 1);
    const ageS = parseAge(values['older-than'] ?? '365d', '--older-than');
    const showsFeeds = what === 'quarantine' && (values.feeds || values.feed !== undefined);
    if (showsFeeds && values.output !== undefined) throw new UsageError('store quarantine takes --output ID or --feeds, not both.');
    if (what === 'quarantine' && !showsFeeds && !values.output) throw new UsageError('store quarantine needs --output ID, or --feeds.');
    if (what === 'replay' && !values.output) throw new UsageError('store replay needs --output ID.');
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
          if (showsFeeds) for (const item of (await readFeedQuarantine(store, { feed: values.feed ?? null, limit })).items) print(item);
          else for (const message of await store.quarantined(values.output ?? '', limit)) print(message);
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
