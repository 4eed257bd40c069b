import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openStore, type Store } from '../../store/store-client.ts';
import { UsageError } from './command.ts';
import { stateFolder } from '../../compose/state-folder.ts';

/** Opens the store of the state folder. Who only looks makes none: where there is none, that is said. */
export function openStoreOf(env: Readonly<Record<string, string | undefined>>, { makes }: { readonly makes: boolean }): Promise<Store> {
  const path = join(stateFolder(env, false), 'pipeline.sqlite');
  if (!makes && !existsSync(path))
    throw new UsageError(`there is no store yet (${path}): ismalicious pipeline run makes it, or name the right ISMALICIOUS_STATE_DIR`);
  return openStore(path);
}
