import { openEngine } from '../../../compose/open-engine.ts';
import { type Command, EXIT, parseAge, UsageError } from '../command.ts';
import { parseOptions } from '../parse-options.ts';
import { cacheSynopsis } from '../synopses/keep.ts';

/** `ismalicious cache stats|purge|export|import` */
export const cache: Command = {
  synopsis: cacheSynopsis,
  async run(args, io) {
    const { values, action, words } = parseOptions(args, cacheSynopsis);
    const ageS = parseAge(values['older-than'] ?? '7d', '--older-than');
    const [file] = words;
    const isMoved = action === 'export' || action === 'import';
    if (isMoved && file === undefined) throw new UsageError(`cache ${action} needs a FILE`);
    const opened = await openEngine({ env: io.env, configPath: values.config, profile: values.profile });
    const { engine } = opened;
    try {
      if (isMoved && file !== undefined) {
        const { exportCache, importCache } = await import('./snapshot/move-cache.ts');
        return action === 'export' ? await exportCache(opened, file, values, io) : importCache(opened, file, values, io);
      }
      const purged = action === 'purge' ? await engine.store.purge(Math.floor(Date.now() / 1000) - ageS) : null;
      const stats = engine.store.stats();
      const facts = { ...stats, ...(purged === null ? {} : { purged }) };
      io.stdout.write(
        values.json
          ? `${JSON.stringify(facts)}\n`
          : `${Object.entries(facts)
              .map(([key, value]) => `${key.padEnd(12)}${value ?? '-'}`)
              .join('\n')}\n`,
      );
      return EXIT.ok;
    } finally {
      await engine.close();
    }
  },
};
