// src/providers/local/: sources that are asked without a call: own lists, warning lists, the sample.
import { readCsvRows } from '../../model/formats/csv-rows.ts';
import { readListCell } from '../../model/formats/list-cell.ts';
import { VERDICT_WORDS, type VerdictWord } from '../../model/verdict.ts';
import { AS_NUMBER_FAULT, isAsNumber } from '../../model/parsing/as-number.ts';
import { isoTime } from '../../model/formats/iso-time.ts';
import type { ListEntry, ParsedList } from './list-entry.ts';
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

/**
 * Reads a customer's list: STIX bundle (JSON), CSV with a header that names a value column, or a list of values (see `readListCell`). AS numbers
 * in it match nothing: they are one fault, with their count.
 */
export function parseList(name: string, text: string, attributes: readonly string[] = []): ParsedList {
  const { entries, faults } = readEntries(name, text, attributes);
  const [first, ...more] = entries.filter(({ value }) => isAsNumber(value));
  if (first === undefined) return { entries, faults };
  const others = more.length === 0 ? '' : `, and ${more.length} more like it`;
  return {
    entries: entries.filter(({ value }) => !isAsNumber(value)),
    faults: [...faults, `${name}: ${first.value.slice(0, 20)} is ${AS_NUMBER_FAULT}${others}`],
  };
}

function readEntries(name: string, text: string, attributes: readonly string[]): ParsedList {
  const start = text.trimStart();
  if (start.startsWith('{') || start.startsWith('[')) return readStixBundle(name, text);
  const header = (start.split(/\r?\n/, 1)[0] ?? '')
    .toLowerCase()
    .split(',')
    .map((cell) => cell.replace(/^\uFEFF?"?|"$/g, '').trim());
  return header.some((column) => VALUE_COLUMNS.includes(column))
    ? readCsvList(name, text, header, attributes)
    : readPlainList(name, text, attributes);
}

function readCsvList(name: string, text: string, header: readonly string[], attributes: readonly string[]): ParsedList {
  const faults: string[] = [];
  const entries: ListEntry[] = [];
  const at = (row: readonly string[], column: string) => (row[header.indexOf(column)] ?? '').trim();
  const valueColumn = VALUE_COLUMNS.find((column) => header.includes(column)) ?? 'value';
  const valueAt = header.indexOf(valueColumn);
  const { rows, broken } = readCsvRows(text, { delimiter: ',', mayBreak: (cell) => cell !== valueAt });
  for (const line of broken.slice(0, MAX_FAULTS)) faults.push(`${name}: a quote is opened and not closed in "${line.slice(0, 60)}"`);
  if (broken.length > MAX_FAULTS) faults.push(`${name}: ${broken.length - MAX_FAULTS} more lines with a quote that is not closed`);
  rows.slice(1).forEach((row, n) => {
    const value = at(row, valueColumn);
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

function readPlainList(name: string, text: string, attributes: readonly string[]): ParsedList {
  const verdict = verdictOf('local', {
    verdict: 'malicious',
    score: DEFAULT_SCORES.malicious,
    attributes: [...attributes, `list:${name}`],
  });
  const lines = text.split(/\r?\n/).map((line) => line.replace(/(^|\s)#.*$/, '').trim());
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
