import { recordHead, recordLine, tracedLines } from '../../../../compose/audit/traced-records.ts';
import { stateFolder } from '../../../../compose/state-folder.ts';
import { auditLogPath } from '../../../../engine/privacy/read-audit-log.ts';
import { type Command, EXIT, parseAge, UsageError } from '../../command.ts';
import { parseOptions } from '../../parse-options.ts';
import { traceSynopsis } from '../../synopses/keep.ts';

const SECOND_MS = 1000;

/** `ismalicious trace ID…` */
export const trace: Command = {
  synopsis: traceSynopsis,
  async run(args, io) {
    const { values, words } = parseOptions(args, traceSynopsis);
    if (words.length === 0)
      throw new UsageError('trace what? a value, a request, a run, a search or a user, like: ismalicious trace 198.51.100.7');
    if (values.json && values.csv) throw new UsageError('--json and --csv are two forms of the same records: name one');
    const path = auditLogPath(stateFolder(io.env, false));
    const since = values.since === undefined ? '' : new Date(Date.now() - parseAge(values.since, '--since') * SECOND_MS).toISOString();
    const form = values.json ? 'json' : values.csv ? 'csv' : 'text';
    let found = 0;
    let missing = 0;
    io.stdout.write(recordHead(form));
    for (const word of words)
      for await (const line of tracedLines(path, word, since)) {
        if ('record' in line) found++;
        else missing++;
        if ('record' in line) io.stdout.write(recordLine(line.record, form));
        else io.stderr.write(`${line.missing}\n`);
      }
    return missing === 0 ? EXIT.ok : found === 0 ? EXIT.failed : EXIT.partial;
  },
};
