// src/compose/infrastructure/: lists of clouds, CDNs, resolvers, sinkholes and scanners, fetched and kept in the state folder.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where fetched lists are kept. */
export function fetchedListsFolder(stateFolder: string): string {
  return join(stateFolder, 'warning-lists');
}

/** The folder of fetched lists where there is one, as a path for `local.warning_lists`. */
export function fetchedLists(stateFolder: string): string[] {
  const folder = fetchedListsFolder(stateFolder);
  return existsSync(folder) ? [folder] : [];
}
