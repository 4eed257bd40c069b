// src/splunkd/alert/: what splunkd hands to the alert action, and what is written back.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import * as z from 'zod/mini';
import { readCsvRows, RFC_4180 } from '../../model/formats/csv-rows.ts';
import { readMultivalue } from '../../rows/multivalue.ts';
import type { SplunkdSession } from '../splunkd.ts';
import { emptyRecord } from '../../model/tables/word-table.ts';

/** What splunkd hands an alert action on stdin, as far as it is used. */
export interface AlertPayload {
  readonly sid: string;
  readonly searchName: string;
  readonly owner: string;
  /** The app of the alert. */
  readonly app: string;
  readonly resultsFile: string | null;
  /** The single result, where Enterprise Security runs the action for one finding. */
  readonly result: Readonly<Record<string, unknown>> | null;
  readonly session: SplunkdSession | null;
  readonly params: TriageParams;
}

/** The action's parameters: those of alert_actions.conf with the alert's own on top. */
export interface TriageParams {
  readonly dryRun: boolean;
  /** Empty: the usual fields of the Common Information Model. */
  readonly fields: readonly string[];
  readonly index: string | null;
  readonly outputs: boolean;
  readonly watchlist: boolean;
  readonly risk: boolean;
  readonly riskIndex: string;
  readonly riskObjectFields: readonly string[];
  readonly threatIntel: boolean;
  /** Whether the notable events of Enterprise Security behind the results are changed, and those of which tiers. */
  readonly notable: boolean;
  readonly notableTiers: readonly string[];
  /** `null`: stays as it is. */
  readonly notableStatus: string | null;
  readonly notableOwner: string | null;
  /** Index for the results of adaptive response; `null`: none are written. */
  readonly responseIndex: string | null;
  readonly maxResults: number;
  readonly timeoutMs: number;
}

const Text = z._default(z.nullish(z.union([z.string(), z.number()])), null);

const Payload = z.object({
  sid: Text,
  search_name: Text,
  owner: Text,
  app: Text,
  results_file: Text,
  server_uri: Text,
  session_key: Text,
  result: z.nullish(z.record(z.string(), z.unknown())),
  configuration: z._default(z.record(z.string(), z.unknown()), {}),
});

const DEFAULT_RISK_FIELDS = 'src,src_ip,src_host,dvc,host,user';
const MAX_RESULTS = 10_000;
const MAX_TIMEOUT_S = 240;

/** Reads the payload. Throws an `Error` whose message never quotes it: it holds a session key. */
export function readAlertPayload(text: string): AlertPayload {
  const parsed = Payload.safeParse(parseJson(text));
  if (!parsed.success) throw new Error('standard input is not the JSON payload of an alert action');
  const { sid, search_name: name, owner, results_file: file, server_uri: uri, session_key: key, result, configuration, app } = parsed.data;
  const sessionKey = textOf(key);
  return {
    sid: textOf(sid),
    searchName: textOf(name),
    owner: textOf(owner),
    app: textOf(app),
    resultsFile: textOf(file) || null,
    result: result ?? null,
    session: sessionKey !== '' && textOf(uri) !== '' ? { uri: textOf(uri), sessionKey } : null,
    params: readParams(configuration),
  };
}

function readParams(given: Readonly<Record<string, unknown>>): TriageParams {
  const text = (name: string, fallback = '') => textOf(given[name]).trim() || fallback;
  const flag = (name: string, fallback: boolean) => (text(name) === '' ? fallback : /^(1|t|true|yes|on)$/i.test(text(name)));
  const list = (name: string, fallback = '') =>
    text(name, fallback)
      .split(/[\s,]+/)
      .filter((word) => word !== '');
  const count = (name: string, fallback: number, most: number) => {
    const value = Number(text(name, String(fallback)));
    if (!Number.isInteger(value) || value < 1) throw new Error(`param.${name} has to be a whole number above 0`);
    return Math.min(value, most);
  };
  return {
    // What cannot be read as "no" stays a dry run.
    dryRun: !/^(0|f|false|no|off)$/i.test(text('dry_run', '1')),
    fields: list('fields'),
    index: text('index') || null,
    outputs: flag('outputs', true),
    watchlist: flag('watchlist', true),
    risk: flag('risk', false),
    riskIndex: text('risk_index', 'risk'),
    riskObjectFields: list('risk_object_fields', DEFAULT_RISK_FIELDS),
    threatIntel: flag('threat_intel', false),
    notable: flag('notable', false),
    notableTiers: list('notable_tiers', 'p1,p2').map((tier) => tier.toLowerCase()),
    notableStatus: status(text('notable_status')),
    notableOwner: text('notable_owner') || null,
    responseIndex: flag('response', false) ? text('response_index', 'cim_modactions') : null,
    maxResults: count('max_results', 1000, MAX_RESULTS),
    timeoutMs: count('timeout', 60, MAX_TIMEOUT_S) * 1000,
  };
}

/** A status by its number, as Enterprise Security keeps them: 1 new, 2 in progress, 3 pending, 4 resolved, 5 closed, and own ones. */
function status(text: string): string | null {
  if (text !== '' && !/^\d{1,4}$/.test(text)) throw new Error('param.notable_status has to be the number of a status, such as 2');
  return text || null;
}

/** The results of an alert, and why they may not be all. */
export interface AlertResults {
  readonly results: readonly Readonly<Record<string, unknown>>[];
  /** What of them cannot be read, one line each. */
  readonly faults: readonly string[];
  /** Where they come from, if it is not the results file that was named; `null`: it is. */
  readonly note: string | null;
}

/**
 * The alert's results: rows of the results file (CSV, gzip or plain), else the one result of the payload. Multivalues become lists. A file
 * that is gone (the dispatch folder was cleaned up) leaves the payload's result, and says so.
 */
export function readAlertResults({ resultsFile, result }: AlertPayload): AlertResults {
  const given = result === null ? [] : [withMultivalues(result)];
  if (resultsFile === null) return { results: given, faults: [], note: null };
  try {
    return readResultsFile(resultsFile);
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'it is not CSV';
    const fault = `the results file cannot be read (${reason})`;
    if (given.length === 0) throw new Error(`${fault}, and the payload holds no result: nothing was triaged`, { cause: error });
    return { results: given, faults: [], note: `${fault}: only the first result, which the payload holds, was triaged` };
  }
}

function readResultsFile(path: string): AlertResults {
  const bytes = readFileSync(path);
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const { rows, broken } = readCsvRows((isPacked ? gunzipSync(bytes) : bytes).toString('utf8'), RFC_4180);
  const [header = [], ...others] = rows;
  const faults =
    broken.length > 0
      ? [`${broken.length} rows of the results file are not CSV (a quote is opened and not closed): they were not triaged`]
      : [];
  return { results: others.map((row) => toResult(header, row)), faults, note: null };
}

/** The payload's one result, whose `__mv_` members become lists. */
function withMultivalues(result: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return toResult(
    Object.keys(result),
    Object.values(result).map((value) => (typeof value === 'string' ? value : '')),
    result,
  );
}

function toResult(
  header: readonly string[],
  row: readonly string[],
  given: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const result = Object.assign(emptyRecord<unknown>(), given);
  for (const [n, field] of header.entries()) {
    const cell = row[n] ?? '';
    if (cell === '') continue;
    if (!field.startsWith('__mv_')) result[field] ??= cell;
    else result[field.slice('__mv_'.length)] = readMultivalue(cell);
  }
  return result;
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // V8's message quotes the text.
    return undefined;
  }
}
