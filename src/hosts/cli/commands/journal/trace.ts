import { stateFolder } from '../../../../compose/state-folder.ts';
import { auditLogPath, type SentRecord } from '../../../../engine/privacy/read-audit-log.ts';
import { isTraced, readWholeAuditLog } from '../../../../engine/privacy/search-audit-log.ts';
import { inertText } from '../../../../model/formats/inert-text.ts';
import { parseIndicator } from '../../../../model/parse-indicator.ts';
import { type Command, EXIT, parseAge, UsageError } from '../../command.ts';
import { parseOptions } from '../../parse-options.ts';
import { traceSynopsis } from '../../synopses/keep.ts';

const SECOND_MS = 1000;

/** `ismalicious trace ID` */
export const trace: Command = {
  synopsis: traceSynopsis,
  async run(args, io) {
    const { values, words } = parseOptions(args, traceSynopsis);
    const [given] = words;
    if (given === undefined) throw new UsageError('trace what? a value, a run, a search or a user, like: ismalicious trace 198.51.100.7');
    const parsed = parseIndicator(given);
    // A log has values as they were sent: canonical.
    const about = 'indicator' in parsed ? parsed.indicator.value : given;
    const since = values.since === undefined ? '' : new Date(Date.now() - parseAge(values.since, '--since') * SECOND_MS).toISOString();
    let found = 0;
    for await (const record of readWholeAuditLog(auditLogPath(stateFolder(io.env, false)), { since, about })) {
      if (!isTraced(record, about)) continue;
      found++;
      io.stdout.write(`${values.json ? JSON.stringify(record) : describe(record)}\n`);
    }
    if (found === 0) io.stderr.write(`${inertText(about)}: not in the audit log: nothing about it was sent from this state folder\n`);
    return found === 0 ? EXIT.failed : EXIT.ok;
  },
};

function describe({ time, provider, indicators, program, user, search, run, settings }: SentRecord): string {
  const facts = { program, user, search, run, settings };
  const told = Object.entries(facts).flatMap(([name, text]) => (text === undefined ? [] : [`${name} ${inertText(text)}`]));
  return [time, provider, ...told, inertText(indicators.join(' '))].join('  ');
}
