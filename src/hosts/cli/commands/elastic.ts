import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Command, UsageError } from '../command.ts';
import { parseOptions } from '../parse-options.ts';
import { elasticSynopsis } from '../synopses/engines.ts';
import { TARGETS, readAssets } from '../../../search-engine/assets/asset.ts';
import { runAssets } from '../../../search-engine/assets/run-assets.ts';
import { openEngineAccess } from '../search-engine-options.ts';

/** `ismalicious elastic install|diff|uninstall|refresh` */
export const elastic: Command = {
  synopsis: elasticSynopsis,
  async run(args, io) {
    const { values, action } = parseOptions(args, elasticSynopsis);
    const target = TARGETS.find((one) => one === values.target);
    if (!target) throw new UsageError(`--target has to be one of ${TARGETS.join(', ')}.`);
    const assets = readAssets(assetsFolder(values.assets), target);
    const { engine, close } = openEngineAccess(values, io);
    try {
      const command = { action, target, isDryRun: values['dry-run'] === true, withHooks: values.hooks === true };
      return await runAssets(command, { engine, assets, say: (line) => io.stdout.write(`${line}\n`) });
    } finally {
      await close();
    }
  },
};

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
