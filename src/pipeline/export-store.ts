import { createHash } from 'node:crypto';
import type { StoredIndicator } from '../store/observation.ts';
import type { Store } from '../store/store-client.ts';
import { STIX_IDENTITY, toStixObject, type StixObject } from '../mapping/stix.ts';
import type { Answer } from '../model/enrichment.ts';
import { csvLine } from '../outputs/forms/csv-line.ts';
import { mispTypeOf } from '../outputs/forms/item-summary.ts';
import { inertText } from '../model/formats/inert-text.ts';

/** Forms in which the store can be exported; `seed` is the table of the seed pipeline, keyed by SHA-256 of the value. */
export type ExportFormat = 'ndjson' | 'csv' | 'stix' | 'seed';

const PAGE = 1000;
const DAY_S = 86_400;
const VALID_DAYS = 30;
const COLUMNS = [
  'type',
  'value',
  'verdict',
  'score',
  'current_score',
  'confidence',
  'tier',
  'state',
  'sources',
  'tags',
  'tlp',
  'first_seen',
  'last_seen',
  'confirmed_at',
  'checked_at',
  'sha256',
];

/** The whole store as text, piece by piece; never all of it in memory. Only judged indicators are STIX: what nobody judged is no statement of ours. */
export async function* exportStore(store: Store, format: ExportFormat, nowS: number): AsyncGenerator<string> {
  if (format === 'csv') yield `${csvLine(COLUMNS)}\n`;
  if (format === 'seed') yield 'hash,value,type,first_seen,last_seen,score\n';
  if (format === 'stix')
    yield `{"type":"bundle","id":"bundle--${STIX_IDENTITY.id.slice('identity--'.length)}","objects":[\n${JSON.stringify(STIX_IDENTITY)}`;
  for (let afterId = 0; ;) {
    const page = await store.page(afterId, PAGE, nowS);
    if (page.length === 0) break;
    for (const stored of page) yield await pieceOf(store, stored, { format, nowS });
    afterId = page.at(-1)?.id ?? afterId;
  }
  if (format === 'stix') yield '\n]}\n';
}

async function pieceOf(store: Store, stored: StoredIndicator, { format, nowS }: { format: ExportFormat; nowS: number }): Promise<string> {
  switch (format) {
    case 'ndjson':
      return `${JSON.stringify(rowOf(stored))}\n`;
    case 'csv':
      return `${csvLine(COLUMNS.map((column) => cellOf(Reflect.get(rowOf(stored), column))))}\n`;
    case 'seed':
      return `${csvLine([sha256(stored.indicator.value), stored.indicator.value, mispTypeOf(stored.indicator.type), iso(stored.firstSeenS), iso(stored.lastSeenS), String(stored.score ?? '')])}\n`;
    case 'stix': {
      if (stored.verdict === null) return '';
      const enriched = await store.enriched(stored.indicator.value, nowS);
      return enriched ? `,\n${JSON.stringify(storedToStix(stored, enriched.answer))}` : '';
    }
  }
}

/** A judged indicator of the store as STIX. */
export function storedToStix(stored: StoredIndicator, answer: Answer): StixObject {
  const judgedS = stored.checkedS ?? stored.addedS;
  return toStixObject({
    indicator: stored.indicator,
    answer,
    tags: stored.tags,
    sources: stored.sources,
    tlp: stored.tlp,
    addedS: stored.addedS,
    judgedS,
    firstSeenS: stored.firstSeenS,
    validUntilS: stored.validUntilS ?? stored.confirmedS + VALID_DAYS * DAY_S,
    isRevoked: stored.state === 'revoked' || stored.state === 'false_positive',
  });
}

function rowOf(stored: StoredIndicator) {
  return {
    type: stored.indicator.type,
    value: stored.indicator.value,
    verdict: stored.verdict,
    score: stored.score,
    current_score: stored.currentScore,
    confidence: stored.confidence,
    tier: stored.tier,
    state: stored.state,
    sources: stored.sources,
    tags: stored.tags,
    tlp: stored.tlp,
    first_seen: iso(stored.firstSeenS),
    last_seen: iso(stored.lastSeenS),
    confirmed_at: iso(stored.confirmedS),
    checked_at: stored.checkedS === null ? null : iso(stored.checkedS),
    sha256: sha256(stored.indicator.value),
  };
}

function cellOf(value: unknown): string {
  if (Array.isArray(value)) return inertText(value.join(';'));
  return value === null || value === undefined ? '' : inertText(String(value));
}

function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
