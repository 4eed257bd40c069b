import { inertText } from '../../../model/formats/inert-text.ts';
import { type Command, EXIT, type Io, parseCount, UsageError } from '../command.ts';
import { parseOptions } from '../parse-options.ts';
import { watchSynopsis } from '../synopses/run.ts';
import { parseIndicator } from '../../../model/parse-indicator.ts';
import { readSources } from '../../../compose/config-sources.ts';
import { loadPipelineConfig } from '../../../pipeline/open-pipeline.ts';
import {
  addToWatchlist,
  listWatchlist,
  removeFromWatchlist,
  type WatchlistAnswer,
  type WatchlistContext,
} from '../../../pipeline/watchlist/edit-watchlist.ts';
import { openStoreOf } from '../existing-store.ts';

/** `ismalicious watch add|remove|list|who` */
export const watchCommand: Command = {
  synopsis: watchSynopsis,
  async run(args, io) {
    const { values, action: what, words: indicators } = parseOptions(args, watchSynopsis);
    if (what !== 'list' && indicators.length === 0) throw new UsageError(`watch ${what} needs at least one value.`);
    const days = values.days === undefined ? undefined : parseCount(values.days, '--days', 1);
    const { watchlist } = loadPipelineConfig(await readSources({ env: io.env, configPath: values.config, profile: values.profile }));
    const store = await openStoreOf(io.env, { makes: what === 'add' });
    const nowS = Math.floor(Date.now() / 1000);
    const context: WatchlistContext = { store, nowS, maxWatched: watchlist.maxWatched, everyHours: watchlist.everyHours };
    try {
      if (what === 'who') {
        const parsed = parseIndicator(indicators[0] ?? '');
        if (parsed.kind === 'invalid') throw new UsageError(`${indicators[0]}: ${parsed.reason}`);
        const seen = await store.whoSaw(parsed.indicator.value, nowS - (days ?? watchlist.lookBackDays) * 86_400, 10_000);
        for (const { asset, times, firstS, lastS } of seen)
          io.stdout.write(`${JSON.stringify({ asset, times, first: isoS(firstS), last: isoS(lastS) })}\n`);
        return EXIT.ok;
      }
      const body = {
        indicators,
        by: values.by ?? 'cli',
        ...(values.reason ? { reason: values.reason } : {}),
        ...(days ? { days } : {}),
        ...(values.every ? { every_hours: parseCount(values.every, '--every', 1) } : {}),
      };
      const answer: WatchlistAnswer =
        what === 'list'
          ? await listWatchlist(context)
          : what === 'add'
            ? await addToWatchlist(body, context)
            : await removeFromWatchlist(indicators, context);
      io.stdout.write(`${JSON.stringify(answer.body)}\n`);
      if (answer.isRefused) return EXIT.usage;
      return what === 'add' ? sayNotAdded(answer.body, io) : EXIT.ok;
    } finally {
      await store.close();
    }
  },
};

/** Values that are not watched, with the reason; 1 when none is watched that was asked for, 3 when some are not. */
function sayNotAdded(body: unknown, io: Io): number {
  const { results } = body as { readonly results: readonly { readonly input: string; readonly message?: string }[] };
  const refused = results.filter(({ message }) => message !== undefined);
  for (const { input, message } of refused) io.stderr.write(`not watched: ${inertText(input)}: ${inertText(message ?? '')}\n`);
  if (refused.length === 0) return EXIT.ok;
  return refused.length === results.length ? EXIT.failed : EXIT.partial;
}

function isoS(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
