// src/providers/local/: sources that are asked without a call: own lists, warning lists, the sample.
import { readCsvRows } from '../../model/formats/csv-rows.ts';
import { readJsonRows } from '../../model/formats/json-rows.ts';
import { readListCell } from '../../model/formats/list-cell.ts';
import { VERDICT_WORDS, type VerdictWord } from '../../model/verdict.ts';
import { cellOfColumn, readAsNumber } from '../../model/parsing/as-number.ts';
import { isoTime } from '../../model/formats/iso-time.ts';
import type { ListedSystem, ListEntry, ParsedList, ReadEntries } from './list-entry.ts';
import { verdictOf } from '../reading/verdict-facts.ts';
import { readStixBundle } from './local-stix.ts';

/** Score of an entry that gives none, by its verdict: the customer put it on a list of their own for a reason. */
const DEFAULT_SCORES: Readonly<Record<VerdictWord, number | null>> = { malicious: 90, suspicious: 55, clean: 0, unknown: null };
const VALUE_COLUMNS = [
  'value',
  'indicator',
  'ioc',
  'ioc_value',
  'observable',
  'ip',
  'domain',
  'url',
  'hash',
  'sha256',
  'cidr',
  'cve',
  'asn',
  'cve_id',
  'cveid',
];
const MAX_FAULTS = 20;

/** The rows of a list whose columns have names, in lower case. */
interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * Reads a customer's list: STIX bundle, or a table in JSON (an array, or an object a line), CSV with a header that names a value column, or a list
 * of values (see `readListCell`).
 */
export function parseList(name: string, text: string, attributes: readonly string[] = []): ParsedList {
  const { entries: all, faults } = readEntries(name, text, attributes);
  const entries: ListEntry[] = [];
  const systems: ListedSystem[] = [];
  for (const entry of all) {
    const asNumber = readAsNumber(entry.value);
    if (asNumber === null) entries.push(entry);
    else systems.push(systemOf(entry, asNumber));
  }
  return { entries, systems, faults };
}

/** Who is answered by it sees why: the address itself is on no list. */
function systemOf(entry: ListEntry, asNumber: number): ListedSystem {
  const value = `AS${asNumber}`;
  const attributes = [...entry.verdict.attributes, value.toLowerCase()];
  return { ...entry, value, asNumber, verdict: { ...entry.verdict, attributes, note: `in ${value}` } };
}

function readEntries(name: string, text: string, attributes: readonly string[]): ReadEntries {
  const start = text.trimStart();
  if (start.startsWith('{') || start.startsWith('[')) return readStixBundle(name, text) ?? readJsonList(name, start, attributes);
  const header = (start.split(/\r?\n/, 1)[0] ?? '')
    .toLowerCase()
    .split(',')
    .map((cell) => cell.replace(/^\uFEFF?"?|"$/g, '').trim());
  if (valueColumnOf(header) !== null) return readCsvList(name, text, header, attributes);
  const lines = text.split(/\r?\n/).map((line) => line.replace(/(^|\s)#.*$/, '').trim());
  return readPlainList(name, lines, attributes);
}

/** Which column has what is listed. Spamhaus names a domain of its owner beside each AS number: that one is not meant. */
function valueColumnOf(header: readonly string[]): string | null {
  const named = VALUE_COLUMNS.filter((column) => header.includes(column));
  if (header[0] === 'asn' && named.every((column) => column === 'asn' || column === 'domain')) return 'asn';
  return named[0] ?? null;
}

function readJsonList(name: string, text: string, attributes: readonly string[]): ReadEntries {
  const json = readJsonRows(text.startsWith('[') ? arrayIn(text) : text);
  const header = json?.header.map((column) => column.toLowerCase()) ?? [];
  if (json !== null && header.length === 0) return readPlainList(name, json.rows.flat(), attributes);
  // Of STIX objects that stand apart, a line each, the patterns would be lost.
  if (json === null || valueColumnOf(header) === null || header.includes('pattern'))
    return {
      entries: [],
      faults: [`${name}: is not JSON with STIX objects, and no list whose objects have one of ${VALUE_COLUMNS.join(', ')}`],
    };
  return readTable(name, { header, rows: json.rows }, attributes);
}

function arrayIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

function readCsvList(name: string, text: string, header: readonly string[], attributes: readonly string[]): ReadEntries {
  const faults: string[] = [];
  const valueAt = header.indexOf(valueColumnOf(header) ?? '');
  const { rows, broken } = readCsvRows(text, { delimiter: ',', mayBreak: (cell) => cell !== valueAt });
  for (const line of broken.slice(0, MAX_FAULTS)) faults.push(`${name}: a quote is opened and not closed in "${line.slice(0, 60)}"`);
  if (broken.length > MAX_FAULTS) faults.push(`${name}: ${broken.length - MAX_FAULTS} more lines with a quote that is not closed`);
  const read = readTable(name, { header, rows: rows.slice(1) }, attributes);
  return { entries: read.entries, faults: [...faults, ...read.faults] };
}

function readTable(name: string, { header, rows }: Table, attributes: readonly string[]): ReadEntries {
  const faults: string[] = [];
  const entries: ListEntry[] = [];
  const at = (row: readonly string[], column: string) => (row[header.indexOf(column)] ?? '').trim();
  const valueColumn = valueColumnOf(header) ?? '';
  rows.forEach((row, n) => {
    const value = cellOfColumn(valueColumn, at(row, valueColumn));
    if (value === '' || value.startsWith('#')) return;
    const word = at(row, 'verdict').toLowerCase() || 'malicious';
    const score = numberOf(at(row, 'score'));
    const confidence = numberOf(at(row, 'confidence'));
    const fault = !isVerdictWord(word)
      ? `verdict "${word.slice(0, 20)}" is none of ${VERDICT_WORDS.join(', ')}`
      : score === undefined || confidence === undefined
        ? 'score and confidence have to be numbers from 0 to 100, or empty'
        : null;
    if (fault !== null || !isVerdictWord(word)) {
      if (faults.length < MAX_FAULTS) faults.push(`${name}, entry ${n + 1}: ${fault}`);
      return;
    }
    const entry = {
      note: [at(row, 'note') || at(row, 'reason'), at(row, 'owner')].filter((part) => part !== '').join(', by ') || null,
      verdict: verdictOf('local', {
        verdict: word,
        score: score ?? DEFAULT_SCORES[word],
        confidence: confidence ?? null,
        categories: at(row, 'categories').split(/[;|,]/),
        attributes: [...attributes, `list:${name}`],
        firstSeen: isoTime(at(row, 'first_seen')),
        lastSeen: isoTime(at(row, 'last_seen')),
        reference: /^https?:\/\//.test(at(row, 'reference')) ? at(row, 'reference') : null,
      }),
    };
    for (const named of readListCell(value)) entries.push({ ...entry, value: named });
  });
  return { entries, faults };
}

function readPlainList(name: string, lines: readonly string[], attributes: readonly string[]): ReadEntries {
  const verdict = verdictOf('local', {
    verdict: 'malicious',
    score: DEFAULT_SCORES.malicious,
    attributes: [...attributes, `list:${name}`],
  });
  return { entries: lines.flatMap((line) => readListCell(line).map((value) => ({ value, verdict, note: null }))), faults: [] };
}

function isVerdictWord(word: string): word is VerdictWord {
  return (VERDICT_WORDS as readonly string[]).includes(word);
}

/** `null`: not given; `undefined`: given and wrong. */
function numberOf(text: string): number | null | undefined {
  if (text === '') return null;
  const value = Number(text);
  return Number.isFinite(value) && value >= 0 && value <= 100 ? value : undefined;
}
