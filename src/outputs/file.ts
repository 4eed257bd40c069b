import * as z from 'zod/mini';
import { declareSettings } from '../config/setting.ts';
import { toStixBundle } from '../mapping/stix.ts';
import { csvLine } from './forms/csv-line.ts';
import { toEventJson } from './forms/event-json.ts';
import { defineOutput, type OutputItem } from './output.ts';
import { stixOf } from './forms/item-to-stix.ts';
import { isoS } from './forms/item-summary.ts';
import { inertText } from '../model/formats/inert-text.ts';

const setting = declareSettings('outputs.file');
const Settings = z.object({
  path: setting(
    'path',
    z.string().check(z.minLength(1)),
    'File that is written at its end; for stix a folder that gets one bundle a batch.',
  ),
  format: setting('format', z._default(z.enum(['ndjson', 'csv', 'stix']), 'ndjson'), 'ndjson, csv or stix.'),
  validDays: setting(
    'validDays',
    z._default(z.int().check(z.gte(1), z.lte(365)), 30),
    'STIX: days an indicator holds when its feed names no end, 1 to 365.',
  ),
});

const COLUMNS = [
  'key',
  'event',
  'at',
  'type',
  'value',
  'verdict',
  'score',
  'confidence',
  'tier',
  'categories',
  'sources',
  'tags',
  'tlp',
  'first_seen',
  'last_seen',
  'reference',
  'note',
];

/** A file on this machine: NDJSON, CSV that no spreadsheet takes for formulas, or STIX 2.1 bundles. */
export const file = defineOutput<typeof Settings, null>({
  id: 'file',
  title: 'File',
  docs: 'https://github.com/ndjson/ndjson-spec',
  settings: Settings,
  defaults: { tellsTurns: true },
  limits: () => ({ items: 1000, bytes: 16_000_000 }),
  start(items, { settings }) {
    const { path, format } = settings;
    if (format === 'stix') {
      const bundle = toStixBundle(items.map((item) => stixOf(item, settings.validDays)));
      return {
        call: { kind: 'file', path: `${path}/${bundle.id}.json`, text: `${JSON.stringify(bundle)}\n`, mode: 'create', header: null },
        state: null,
      };
    }
    const lines = items.map((item) => (format === 'csv' ? csvLine(cellsOf(item)) : JSON.stringify(toEventJson(item))));
    const header = format === 'csv' ? `${csvLine(COLUMNS)}\n` : null;
    return { call: { kind: 'file', path, text: lines.map((line) => `${line}\n`).join(''), mode: 'append', header }, state: null };
  },
  read: (_answer, _step, items) => ({ delivered: items }),
});

function cellsOf(item: OutputItem): string[] {
  const { answer } = item.enrichment;
  const judged = [answer.verdict, String(answer.score ?? ''), String(answer.confidence ?? ''), answer.tier, answer.categories.join(';')];
  const seen = [item.sources.join(';'), item.tags.join(';'), item.tlp ?? '', isoS(item.firstSeenS), isoS(item.lastSeenS)];
  return [
    item.key,
    item.event,
    isoS(item.atS),
    item.indicator.type,
    item.indicator.value,
    ...judged,
    ...seen,
    answer.reference ?? '',
    item.note ?? '',
  ].map(inertText);
}
