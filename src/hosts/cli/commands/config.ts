import { settingMeta, toSnakeCase } from '../../../config/setting.ts';
import { loadEngineConfig } from '../../../compose/engine-config.ts';
import { checkConfig } from '../../../compose/check/check-config.ts';
import { readSources, type SourceOptions } from '../../../compose/config-sources.ts';
import { HOST_SETTINGS } from '../../../compose/host-settings.ts';
import { loadTogether } from '../../../pipeline/load-together.ts';
import { loadPipelineBlocks } from '../../../pipeline/open-pipeline.ts';
import { ConfigError } from '../../../config/config-error.ts';
import { type Command, EXIT, type Io } from '../command.ts';
import { warn } from '../messages.ts';
import { parseOptions } from '../parse-options.ts';
import { configSynopsis } from '../synopses/set-up.ts';

const MASK = '********';

/** `ismalicious config check|show` */
export const config: Command = {
  synopsis: configSynopsis,
  async run(args, io) {
    const { values, action, words } = parseOptions(args, configSynopsis);
    if (action === 'import') return (await import('./config-import.ts')).runConfigImport(words[0], values.out, io);
    const options = { env: io.env, configPath: values.config, profile: values.profile };
    if (action === 'check') return await runConfigCheck(options, io);
    const sources = await readSources(options);
    const [engine, pipeline] = await loadTogether(
      () => loadEngineConfig({ ...options, blocks: HOST_SETTINGS }),
      () => loadPipelineBlocks(sources),
    );
    const { stringify } = await import('yaml');
    const shown: Record<string, Record<string, unknown>> = {};
    const schemas = { ...engine.schemas, ...pipeline.schemas };
    for (const [path, { values: block }] of Object.entries({ ...engine.blocks, ...pipeline.blocks })) {
      const schema = schemas[path];
      shown[path] = Object.fromEntries(
        Object.entries(block).map(([key, value]) => {
          const setting = schema?.shape[key];
          return [toSnakeCase(key), setting && settingMeta.get(setting)?.secret === true ? MASK : value];
        }),
      );
    }
    io.stdout.write(stringify(nest(shown)));
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

/** `providers.x: {…}` → `providers: { x: {…} }`: what a configuration file looks like. */
function nest(blocks: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const tree: Record<string, Record<string, unknown>> = {};
  for (const [path, block] of Object.entries(blocks)) {
    const [first = '', second] = path.split('.');
    tree[first] = second === undefined ? (block as Record<string, unknown>) : { ...tree[first], [second]: block };
  }
  return tree;
}
