import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Command, UsageError, parseOptions } from '../command.ts';
import { TARGETS, type Target, readAssets } from './asset.ts';
import { ELASTIC_ACTIONS, type ElasticAction, runElastic } from './elastic-command.ts';
import { ENGINE_ACCESS_HELP, ENGINE_ACCESS_OPTIONS, openEngineAccess } from './engine-options.ts';

/** `ismalicious elastic install|diff|uninstall|refresh` */
export const elastic: Command = {
  name: 'elastic',
  usage: `elastic ${ELASTIC_ACTIONS.join('|')} --target T --url URL [--dry-run]`,
  summary: 'Put templates, pipelines and what belongs to them into Elasticsearch or OpenSearch.',
  help: `  install             put what is missing or different; what is equal, yours or somebody else's is not touched
  diff                name what differs; exit 1 when something does
  uninstall           remove what was put; data and @custom assets stay
  refresh             rebuild what Elasticsearch's enrich processors read (for a timer)
  --target T          ${TARGETS.join(', ')}
  --dry-run           say what would be done, do nothing
  --hooks             also logs@custom, which acts on every logs-*-* data stream
  --assets DIR        the pack's elastic/ folder (default: beside the program)
${ENGINE_ACCESS_HELP}`,
  async run(args, io) {
    const { values, positionals } = parseOptions(args, {
      ...ENGINE_ACCESS_OPTIONS,
      target: { type: 'string' },
      'dry-run': { type: 'boolean' },
      hooks: { type: 'boolean' },
      assets: { type: 'string' },
    });
    const action = oneOf<ElasticAction>(ELASTIC_ACTIONS, positionals[0], 'elastic wants');
    const target = oneOf<Target>(TARGETS, values.target, '--target has to be');
    const assets = readAssets(assetsFolder(values.assets), target);
    const { engine, close } = openEngineAccess(values, io);
    try {
      const command = { action, target, isDryRun: values['dry-run'] === true, withHooks: values.hooks === true };
      return await runElastic(command, { engine, assets, say: (line) => io.stdout.write(`${line}\n`) });
    } finally {
      await close();
    }
  },
};

function oneOf<T extends string>(known: readonly T[], given: string | undefined, words: string): T {
  const found = known.find((one) => one === given);
  if (found === undefined) throw new UsageError(`${words} ${known.join(', ')}`);
  return found;
}

/** The pack's `elastic/`: beside the built program, or in the project that it runs from. */
function assetsFolder(given: string | undefined): string {
  if (given !== undefined) {
    if (!existsSync(join(given, TARGETS[0], 'manifest.json'))) throw new UsageError(`--assets: ${given} is not the pack's elastic/ folder`);
    return given;
  }
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, 'elastic');
    if (existsSync(join(candidate, TARGETS[0], 'manifest.json'))) return candidate;
  }
  throw new UsageError('the elastic/ folder is not beside the program: give --assets DIR');
}
