// src/console/exports/: answers taken along: lists, tickets, searches.
import { guardFormula } from '../../model/formats/formula-guard.ts';
import { inertText } from '../../model/formats/inert-text.ts';
import { type Row, wordOf } from '../look-up/rank.ts';
import { shownValue } from '../look-up/words.ts';
import { toEsql, toKql, toSpl } from './searches.ts';
import { toStixText } from './stix-text.ts';

/** A form in which answers are taken along. */
export interface Format {
  readonly id: string;
  readonly title: string;
  readonly file: string;
  readonly type: string;
  readonly render: (rows: readonly Row[]) => string;
}

/** All of them, in the order of the menu. */
export const FORMATS: readonly Format[] = [
  { id: 'list', title: 'Defanged list', file: 'indicators.txt', type: 'text/plain', render: toList },
  { id: 'markdown', title: 'Markdown for a ticket', file: 'indicators.md', type: 'text/markdown', render: toMarkdown },
  { id: 'csv', title: 'CSV', file: 'indicators.csv', type: 'text/csv', render: toCsv },
  { id: 'json', title: 'JSON', file: 'indicators.json', type: 'application/json', render: toJson },
  { id: 'stix', title: 'STIX 2.1', file: 'indicators.stix.json', type: 'application/json', render: toStixText },
  { id: 'spl', title: 'Splunk search (SPL)', file: 'search.spl', type: 'text/plain', render: toSpl },
  { id: 'kql', title: 'Kibana search (KQL)', file: 'search.kql', type: 'text/plain', render: toKql },
  { id: 'esql', title: 'ES|QL', file: 'search.esql', type: 'text/plain', render: toEsql },
];

function toList(rows: readonly Row[]): string {
  return lines(rows.map((row) => inertText(shownValue(row))));
}

/** A table; nothing in it becomes a link or markup, whatever a source says. */
function toMarkdown(rows: readonly Row[]): string {
  const cells = rows.map((row) => {
    const { answer } = row;
    const said = answer?.providers
      .filter(({ status }) => status === 'ok')
      .map(({ provider, contribution }) => `${provider} +${contribution}`);
    const facts = [...(answer?.categories ?? []), ...(answer?.message ? [answer.message] : [])];
    return [
      codeCell(shownValue(row)),
      wordOf(answer),
      String(answer?.score ?? '–'),
      String(answer?.confidence ?? '–'),
      answer?.tier ?? '–',
      cell(facts.join(', ')),
      cell((said ?? []).join(', ')),
    ];
  });
  const head = ['Indicator', 'Verdict', 'Score', 'Confidence', 'Tier', 'Categories', 'Sources'];
  const table = [head, head.map(() => '---'), ...cells].map((row) => `| ${row.join(' | ')} |`);
  return lines(table);
}

function cell(text: string): string {
  return inertText(text).replace(/:(?=\/\/)|(?<=\bwww)\.|[&<@]|[\\`*_[\]|~#]/gi, (char) =>
    /[:.&<@]/.test(char) ? `&#${char.charCodeAt(0)};` : `\\${char}`,
  );
}

/** A code span as long as no backtick or bar is in it; both would end it or the cell. */
function codeCell(text: string): string {
  const inert = inertText(text);
  return /[`|\\]/.test(inert) ? cell(inert) : `\`${inert}\``;
}

const COLUMNS = [
  'indicator',
  'type',
  'verdict',
  'score',
  'confidence',
  'status',
  'tier',
  'categories',
  'attributes',
  'sources',
  'checked_at',
  'message',
];

/** As spreadsheets read it (RFC 4180); what they would run as a formula is guarded. */
function toCsv(rows: readonly Row[]): string {
  const cells = rows.map(({ value, type, answer }) => [
    value,
    type ?? '',
    answer?.verdict ?? '',
    String(answer?.score ?? ''),
    String(answer?.confidence ?? ''),
    answer?.status ?? '',
    answer?.tier ?? '',
    (answer?.categories ?? []).join('|'),
    (answer?.attributes ?? []).join('|'),
    (answer?.providers ?? []).map(({ provider, contribution }) => `${provider}=${contribution}`).join('|'),
    answer?.checked_at ?? '',
    answer?.message ?? '',
  ]);
  return [COLUMNS, ...cells].map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}

function csvCell(text: string): string {
  const guarded = guardFormula(text);
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

function toJson(rows: readonly Row[]): string {
  return `${JSON.stringify(
    rows.map(({ value, type, answer }) => answer ?? { indicator: value, type }),
    null,
    2,
  )}\n`;
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('');
}
