// src/compose/audit/: what the audit log says of a value, a request, a run, a search or a user, and in which form it is shown.
import type { SentRecord } from '../../engine/privacy/read-audit-log.ts';
import { findRequests, isTraced, readWholeAuditLog } from '../../engine/privacy/search-audit-log.ts';
import { inertText } from '../../model/formats/inert-text.ts';
import { requestIdsIn } from '../../model/formats/request-id.ts';
import { parseIndicator } from '../../model/parse-indicator.ts';
import { csvLine } from '../../outputs/forms/csv-line.ts';

const COLUMNS = ['time', 'provider', 'indicators', 'program', 'user', 'search', 'run', 'settings', 'request'] as const;

/** A record, and the request id that led to it, where one did. */
type TracedRecord = SentRecord & { readonly request?: string };

/** A record of the log, or why there is none, in one line for people. */
type TracedLine = { readonly record: TracedRecord } | { readonly missing: string };

/** How records are written: lines for people, an object a line, a table for spreadsheets. */
export type RecordForm = 'text' | 'json' | 'csv';

/**
 * What the log at `path` says of a word: request ids, also several of them as a row or an event has them; else a value, a run, a search or a
 * user. `since`: ISO 8601, for all but requests.
 */
export async function* tracedLines(path: string, word: string, since: string): AsyncGenerator<TracedLine> {
  const ids = requestIdsIn(word);
  for (const [n, record] of (await findRequests(path, ids)).entries()) {
    const request = ids[n]?.text ?? '';
    if (record !== undefined) yield { record: { ...record, request } };
    else yield { missing: `${request}: not in the audit log of this state folder: older than the log, or sent by another machine` };
  }
  if (ids.length > 0) return;
  const parsed = parseIndicator(word);
  // A log has values as they were sent: canonical.
  const about = 'indicator' in parsed ? parsed.indicator.value : word;
  let found = 0;
  for await (const record of readWholeAuditLog(path, { since, about })) {
    if (!isTraced(record, about)) continue;
    found++;
    yield { record };
  }
  if (found === 0) yield { missing: `${inertText(about)}: not in the audit log: nothing about it was sent from this state folder` };
}

/** What stands before the records; empty: nothing. */
export function recordHead(form: RecordForm): string {
  return form === 'csv' ? `${csvLine(COLUMNS)}\n` : '';
}

/** One record as a line. */
export function recordLine(record: TracedRecord, form: RecordForm): string {
  if (form === 'json') return `${JSON.stringify(record)}\n`;
  if (form === 'text') return `${describe(record)}\n`;
  const cellOf = (value: string | readonly string[] = '') => (typeof value === 'string' ? value : value.join(' '));
  return `${csvLine(COLUMNS.map((column) => cellOf(record[column])))}\n`;
}

function describe({ time, provider, indicators, program, user, search, run, settings }: SentRecord): string {
  const facts = { program, user, search, run, settings };
  const known = Object.entries(facts).flatMap(([name, text]) => (text === undefined ? [] : [`${name} ${inertText(text)}`]));
  return [time, provider, ...known, inertText(indicators.join(' '))].join('  ');
}
