import { stateFolder } from '../../../../compose/state-folder.ts';
import { auditLogPath, type SentRecord } from '../../../../engine/privacy/read-audit-log.ts';
import { findRequests, isTraced, readWholeAuditLog } from '../../../../engine/privacy/search-audit-log.ts';
import { inertText } from '../../../../model/formats/inert-text.ts';
import { requestIdsIn } from '../../../../model/formats/request-id.ts';
import { parseIndicator } from '../../../../model/parse-indicator.ts';
import { csvLine } from '../../../../outputs/csv-line.ts';
import { type Command, EXIT, type Io, parseAge, UsageError } from '../../command.ts';
import { parseOptions } from '../../parse-options.ts';
import { traceSynopsis } from '../../synopses/keep.ts';

const SECOND_MS = 1000;
const COLUMNS = ['time', 'provider', 'indicators', 'program', 'user', 'search', 'run', 'settings', 'request'] as const;

/** A record, and the request id that led to it, where one did. */
type Traced = SentRecord & { readonly request?: string };

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
    const show = writerOf(io, values.json ? 'json' : values.csv ? 'csv' : 'text');
    let found = 0;
    let missing = 0;
    for (const word of words) {
      const { shown, missed } = requestIdsIn(word).length > 0 ? await showRequests(word) : await showAbout(word);
      found += shown;
      missing += missed;
    }
    return missing === 0 ? EXIT.ok : found === 0 ? EXIT.failed : EXIT.partial;

    /** A request id, or several of them as a row or a document has them. */
    async function showRequests(word: string) {
      const ids = requestIdsIn(word);
      const records = await findRequests(path, ids);
      for (const [n, record] of records.entries()) {
        const request = ids[n]?.text ?? '';
        if (record !== undefined) show({ ...record, request });
        else io.stderr.write(`${request}: not in the audit log of this state folder: older than the log, or sent by another machine\n`);
      }
      const missed = records.filter((record) => record === undefined).length;
      return { shown: records.length - missed, missed };
    }

    async function showAbout(word: string) {
      const parsed = parseIndicator(word);
      // A log has values as they were sent: canonical.
      const about = 'indicator' in parsed ? parsed.indicator.value : word;
      let shown = 0;
      for await (const record of readWholeAuditLog(path, { since, about })) {
        if (!isTraced(record, about)) continue;
        shown++;
        show(record);
      }
      if (shown === 0) io.stderr.write(`${inertText(about)}: not in the audit log: nothing about it was sent from this state folder\n`);
      return { shown, missed: shown === 0 ? 1 : 0 };
    }
  },
};

function writerOf({ stdout }: Io, form: 'json' | 'csv' | 'text'): (record: Traced) => void {
  if (form === 'json') return (record) => void stdout.write(`${JSON.stringify(record)}\n`);
  if (form === 'text') return (record) => void stdout.write(`${describe(record)}\n`);
  stdout.write(`${csvLine(COLUMNS)}\n`);
  const cellOf = (value: string | readonly string[] = '') => (typeof value === 'string' ? value : value.join(' '));
  return (record) => void stdout.write(`${csvLine(COLUMNS.map((column) => cellOf(record[column])))}\n`);
}

function describe({ time, provider, indicators, program, user, search, run, settings }: SentRecord): string {
  const facts = { program, user, search, run, settings };
  const told = Object.entries(facts).flatMap(([name, text]) => (text === undefined ? [] : [`${name} ${inertText(text)}`]));
  return [time, provider, ...told, inertText(indicators.join(' '))].join('  ');
}
