import { settingMeta, toSnakeCase } from '../../../config/setting.ts';
import { loadEngineConfig } from '../../../compose/engine-config.ts';
import { readSources } from '../../../compose/config-sources.ts';
import { HOST_SETTINGS } from '../../../compose/host-settings.ts';
import { loadTogether } from '../../../pipeline/load-together.ts';
import { loadPipelineBlocks } from '../../../pipeline/open-pipeline.ts';
import { type Command, EXIT } from '../command.ts';
import { parseOptions } from '../parse-options.ts';
import { configSynopsis } from '../synopses/set-up.ts';

const MASK = '********';

/** `ismalicious config check|show` */
export const config: Command = {
  synopsis: configSynopsis,
  async run(args, io) {
    const { values, action, words } = parseOptions(args, configSynopsis);
    if (action === 'import') return (await import('./config-import.ts')).runConfigImport(words[0], values.out, io);
    const options = { env: io.env, configPath: values.config };
    const sources = await readSources(options);
    const [engine, pipeline] = await loadTogether(
      () => loadEngineConfig({ ...options, blocks: HOST_SETTINGS }),
      () => loadPipelineBlocks(sources),
    );
    if (action === 'check') {
      const asked = engine.wanted.map(({ provider }) => provider.id).join(', ');
      const on = (prefix: string) =>
        Object.keys(pipeline.blocks).flatMap((path) => (path.startsWith(prefix) ? [path.slice(prefix.length)] : []));
      io.stderr.write(
        `The settings are right. Asked: ${asked === '' ? 'nobody (embedded default: own lists only)' : asked}; feeds: ${on('feeds.').join(', ') || 'none'}; outputs: ${on('outputs.').join(', ') || 'none'}\n`,
      );
      return EXIT.ok;
    }
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

/** `providers.x: {…}` → `providers: { x: {…} }`: what a configuration file looks like. */
function nest(blocks: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const tree: Record<string, Record<string, unknown>> = {};
  for (const [path, block] of Object.entries(blocks)) {
    const [first = '', second] = path.split('.');
    tree[first] = second === undefined ? (block as Record<string, unknown>) : { ...tree[first], [second]: block };
  }
  return tree;
}
