import { openEngine } from '../../../compose/open-engine.ts';
import { type Command, EXIT, parseAge } from '../command.ts';
import { parseOptions } from '../parse-options.ts';
import { cacheSynopsis } from '../synopses/keep.ts';

/** `ismalicious cache stats|purge` */
export const cache: Command = {
  synopsis: cacheSynopsis,
  async run(args, io) {
    const { values, action } = parseOptions(args, cacheSynopsis);
    const ageS = parseAge(values['older-than'] ?? '7d', '--older-than');
    const { engine } = await openEngine({ env: io.env, configPath: values.config, profile: values.profile });
    try {
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
