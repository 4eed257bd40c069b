import { INFRASTRUCTURE_LISTS, keptLists, LISTS_URL, updateLists } from '../../../../compose/infrastructure/update-lists.ts';
import { pipelineTransports } from '../../../../compose/pipeline-transports.ts';
import { stateFolder } from '../../../../compose/state-folder.ts';
import { isSafeEndpoint } from '../../../../model/parsing/safe-endpoint.ts';
import { inertText } from '../../../../model/formats/inert-text.ts';
import { type Command, EXIT, type Io, UsageError } from '../../command.ts';
import { parseOptions } from '../../parse-options.ts';
import { listsSynopsis } from '../../synopses/keep.ts';

/** `ismalicious lists show|update` */
export const lists: Command = {
  synopsis: listsSynopsis,
  async run(args, io) {
    const { values, action, words } = parseOptions(args, listsSynopsis);
    const folder = stateFolder(io.env, false);
    if (action === 'update') return await update(words.length > 0 ? words : INFRASTRUCTURE_LISTS, values.from ?? LISTS_URL, { folder, io });
    const kept = keptLists(folder);
    if (kept.length === 0) io.stderr.write('no list was fetched yet: ismalicious lists update\n');
    for (const { name, fetchedAt } of kept) io.stdout.write(`${name.padEnd(30)} fetched ${fetchedAt}\n`);
    return EXIT.ok;
  },
};

async function update(names: readonly string[], baseUrl: string, { folder, io }: { folder: string; io: Io }): Promise<number> {
  if (!isSafeEndpoint(baseUrl)) throw new UsageError('--from has to be an https URL (plain http only to this machine)');
  const transport = pipelineTransports(io.env)({ id: 'warning lists', baseUrl, proxy: null, ca: null });
  try {
    const updates = await updateLists(names, { baseUrl, stateFolder: folder, transport });
    for (const { name, entries, fault } of updates) {
      if (fault === null) io.stdout.write(`${name.padEnd(30)} ${entries} entries\n`);
      else io.stderr.write(`${inertText(fault)}; the list that was there stays\n`);
    }
    const failed = updates.filter(({ fault }) => fault !== null).length;
    if (failed === 0) return EXIT.ok;
    return failed === updates.length ? EXIT.failed : EXIT.partial;
  } finally {
    await transport.close();
  }
}
