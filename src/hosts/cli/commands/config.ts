import { checkConfig } from '../../../compose/check/check-config.ts';
import { asFile, settingsInForce } from '../../../compose/check/settings-in-force.ts';
import type { SourceOptions } from '../../../compose/config-sources.ts';
import { ConfigError } from '../../../config/config-error.ts';
import { type Command, EXIT, type Io } from '../command.ts';
import { warn } from '../messages.ts';
import { parseOptions } from '../parse-options.ts';
import { configSynopsis } from '../synopses/set-up.ts';

/** `ismalicious config check|show` */
export const config: Command = {
  synopsis: configSynopsis,
  async run(args, io) {
    const { values, action, words } = parseOptions(args, configSynopsis);
    if (action === 'import') return (await import('./config-import.ts')).runConfigImport(words[0], values.out, io);
    const options = { env: io.env, configPath: values.config, profile: values.profile };
    if (action === 'check') return await runConfigCheck(options, io);
    const { stringify } = await import('yaml');
    io.stdout.write(stringify(asFile(await settingsInForce(options))));
    return EXIT.ok;
  },
};

async function runConfigCheck(options: SourceOptions, io: Io): Promise<number> {
  const { faults, warnings, providers, feeds, outputs } = await checkConfig(options);
  warn(io, warnings);
  if (faults.length > 0) throw new ConfigError(faults);
  const asked = providers.length === 0 ? 'No provider has a key: only local lists are used.' : `Providers: ${providers.join(', ')}.`;
  io.stderr.write(`Configuration OK. ${asked} Feeds: ${feeds.join(', ') || 'none'}. Outputs: ${outputs.join(', ') || 'none'}.\n`);
  return EXIT.ok;
}
