import type { Sighting } from '../../store/sightings.ts';
import { readCsvRows, RFC_4180 } from '../../model/formats/csv-rows.ts';
import { parseIndicator } from '../../model/parse-indicator.ts';
import { textsAt } from '../triage/read-alert.ts';
import { assetOf, timeOf } from './asset.ts';

const DAY_S = 86_400;
/** Texts whose value is kept: the same ones come again and again. */
const MAX_PARSED = 50_000;

/** How events stand in a text: one or an array of them, one a line, a bulk body with action lines, a table with a header, or what Logstash's filter sends. */
export type SightingForm = 'json' | 'ndjson' | 'bulk' | 'csv' | 'logstash';

/** Reads who was seen with what out of events, and adds it up by value, asset and day. */
export interface SightingReader {
  /** What cannot be read is passed over: whoever enriches it says so. */
  read(text: string, form: SightingForm): void;
  add(event: Readonly<Record<string, unknown>>): void;
  /** Rows gathered so far. */
  readonly size: number;
  /** Gives them, and begins anew. */
  drain(): Sighting[];
}

/** A reader of these fields (dotted names). Only public indicators count: what is ours, or none, is no sighting. */
export function createSightingReader({
  fields,
  nowS,
}: {
  readonly fields: readonly string[];
  readonly nowS: () => number;
}): SightingReader {
  const publicValue = createPublicValue();
  const gathered = new Map<string, { value: string; asset: string; times: number; firstS: number; lastS: number }>();

  function add(event: Readonly<Record<string, unknown>>, of: readonly string[] = fields): void {
    const values = new Set<string>();
    for (const field of of) {
      for (const text of textsAt(event, field)) {
        const value = publicValue(text);
        if (value !== null) values.add(value);
      }
    }
    if (values.size === 0) return;
    const asset = assetOf(event);
    const atS = timeOf(event, nowS());
    for (const value of values) {
      const key = `${Math.floor(atS / DAY_S)} ${value} ${asset}`;
      const row = gathered.get(key);
      if (!row) {
        gathered.set(key, { value, asset, times: 1, firstS: atS, lastS: atS });
        continue;
      }
      row.times += 1;
      row.firstS = Math.min(row.firstS, atS);
      row.lastS = Math.max(row.lastS, atS);
    }
  }

  const addAll = (parsed: unknown) => {
    for (const one of Array.isArray(parsed) ? parsed : [parsed]) if (isObject(one)) add(one);
  };
  /** A whole event, or a hash all of whose members are values; lists come joined by commas. */
  const addFilterBody = (parsed: unknown) => {
    if (!isObject(parsed)) return;
    if ('@timestamp' in parsed || '@version' in parsed) add(parsed);
    else {
      add(splitMembers(parsed), Object.keys(parsed));
    }
  };
  return {
    add: (event) => add(event),
    read(text, form) {
      if (form === 'csv') for (const row of tableRows(text)) add(row);
      else if (form === 'json') addAll(parseJson(text));
      else if (form === 'logstash') addFilterBody(parseJson(text));
      else for (const line of text.split('\n')) addAll(documentOf(parseJson(line), form));
    },
    get size() {
      return gathered.size;
    },
    drain() {
      const rows = [...gathered.values()];
      gathered.clear();
      return rows;
    },
  };
}

/** The canonical value of a public indicator, else `null`; what was asked lately is kept. */
function createPublicValue(): (text: string) => string | null {
  const known = new Map<string, string | null>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    if (known.size >= MAX_PARSED) known.clear();
    const observable = parseIndicator(text);
    const value = observable.kind === 'public' ? observable.indicator.value : null;
    known.set(text, value);
    return value;
  };
}

function splitMembers(hash: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(hash).map(([name, value]) => [name, typeof value === 'string' ? value.split(',') : value]));
}

/** An update of a bulk body has its fields under `doc`. Action lines hold no field that is looked at. */
function documentOf(parsed: unknown, form: SightingForm): unknown {
  return form === 'bulk' && isObject(parsed) && isObject(parsed.doc) ? parsed.doc : parsed;
}

function* tableRows(text: string): Generator<Record<string, unknown>> {
  const [header = [], ...rows] = readCsvRows(text, RFC_4180).rows;
  for (const row of rows) yield Object.fromEntries(header.map((name, n) => [name, row[n] ?? '']));
}

function parseJson(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
