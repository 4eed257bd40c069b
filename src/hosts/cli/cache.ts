import { openEngine } from '../compose/open-engine.ts';
import { type Command, EXIT, parseAge, parseOptions, UsageError } from './command.ts';

/** `ismalicious cache stats|purge` */
export const cache: Command = {
  name: 'cache',
  usage: 'cache stats|purge [--older-than AGE] [--json]',
  summary: 'Show the verdict cache, or delete what is out of date.',
  help: `  stats               file, rows and size
  purge               delete answers whose lifetime ended before AGE (default 7d)
  --older-than AGE    0s deletes everything that is out of date
  --json              one JSON object
  --config FILE       settings (default: ISMALICIOUS_CONFIG)`,
  async run(args, io) {
    const { values, positionals } = parseOptions(args, {
      config: { type: 'string' },
      'older-than': { type: 'string' },
      json: { type: 'boolean' },
    });
    const [what] = positionals;
    if (what !== 'stats' && what !== 'purge') throw new UsageError('cache wants stats or purge');
    const ageS = parseAge(values['older-than'] ?? '7d', '--older-than');
    const { engine } = await openEngine({ env: io.env, configPath: values.config });
    try {
      const purged = what === 'purge' ? await engine.store.purge(Math.floor(Date.now() / 1000) - ageS) : null;
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
