// src/rows/: a block of CSV rows in, the same bytes with our cells out.
import type { Enricher } from '../engine/enricher.ts';
import { SPLUNK_DETAIL_FIELDS, SPLUNK_FIELDS } from '../mapping/splunk.ts';
import type { RowOptions } from './row-options.ts';
import { ValueAnswers, plannedEnrichment } from './value-answers.ts';
import type { Wait } from './value-answers.ts';
import { readHeader } from './csv-cells.ts';
import type { RowBlock } from './row-block.ts';
import { EarlierSearches } from './kept/earlier-searches.ts';
import type { Recall, SearchKeys } from './kept/earlier-searches.ts';
import { takeSnapshot } from './kept/value-snapshot.ts';
import type { SnapshotParts, TakenSnapshot } from './kept/value-snapshot.ts';
import type { ReplyRows } from './row-writer.ts';
import { layOutRows } from './row-layout.ts';
import type { RowLayout } from './row-layout.ts';
import { RowScanner } from './row-scanner.ts';
import { RowSuffixes } from './row-suffixes.ts';
import { toPlanText } from './search-notes.ts';
import type { SearchNotes } from './search-notes.ts';
import { ValueReader } from './value-reader.ts';
import { ValueTable } from './value-table.ts';

// What a long search may keep between two chunks: about 20 MB of values and renderings.
const MAX_KEPT_VALUES = 65_536;
const MAX_KEPT_BYTES = 16 << 20;
const MAX_PLANNED_VALUES = 1_000_000;

/** What a chunk needs besides its rows. */
export interface RowContext {
  /** Opens the engine, at the first row of the search. */
  readonly open: () => Promise<Enricher>;
  readonly nowS: number;
  readonly wait: Wait;
  /** What earlier searches knew, asked for at the first rows; nothing: this one begins anew. */
  readonly recall?: Recall;
}

/** Names of the columns a search gets, in the order of the reply. */
export function outputFields(options: Pick<RowOptions, 'fields' | 'prefix' | 'details' | 'trace'>): string[] {
  const { fields, prefix, details, trace } = options;
  const names = SPLUNK_FIELDS.map((name) => prefix + name);
  const last = trace === true ? [`${prefix}trace`] : [];
  if (!details) return [...names, ...last];
  const perField = fields.flatMap((field) => SPLUNK_DETAIL_FIELDS.map((name) => `${prefix}${field}_${name}`));
  return [...names, ...perField, `${prefix}explain`, ...last];
}

/** Enriches the chunks of one search, one after the other. */
export class RowEnricher {
  readonly #options: RowOptions;
  readonly #notes: SearchNotes;
  readonly #outputs: readonly string[];
  readonly #values = new ValueTable();
  readonly #answers: ValueAnswers;
  readonly #suffixes: RowSuffixes;
  readonly #planned = new Set<string>();
  readonly #scanner = new RowScanner();
  readonly #reader = new ValueReader(this.#values);
  #header = '';
  #layout: RowLayout | null = null;
  #chunk = 0;
  #earlier: EarlierSearches | null = null;
  /** `null`: every provider is asked about every field; `undefined`: nobody has said yet. */
  #routes: readonly string[] | null | undefined;

  constructor(options: RowOptions, notes: SearchNotes, startS: number) {
    this.#options = options;
    this.#notes = notes;
    this.#outputs = outputFields(options);
    const { providers, maxAgeS, timeoutMs, budget, mode, tlp } = options;
    const rules = {
      timeoutMs,
      mode: mode === 'cache' ? ('cache' as const) : ('enrich' as const),
      ...(providers === null ? {} : { providers }),
      ...(maxAgeS === null ? {} : { maxAgeS }),
      ...(budget === null ? {} : { budget: { remaining: budget } }),
      ...(tlp === undefined ? {} : { tlp }),
    };
    this.#answers = new ValueAnswers(this.#values, rules, startS, (id, enrichment) => {
      this.#suffixes.take(id, enrichment, this.#chunk);
      if (enrichment.answer.status !== 'ok') notes.count(enrichment.input, enrichment.answer);
    });
    // What a search would cost is told about all its rows.
    this.#suffixes = new RowSuffixes(this.#answers, mode === 'plan' ? { ...options, only: null } : options);
  }

  /** The rows of the reply to a chunk; `null` for one without a header. Rejects when the search was cancelled. */
  async enrich(block: RowBlock, context: RowContext): Promise<ReplyRows | null> {
    if (block.bodyFrom === block.bodyEnd) return null;
    const header = readHeader(block.bytes, block.bodyFrom, block.bodyEnd, this.#options.delimiter);
    const layout = this.#layOut(block.bytes.toString('latin1', block.bodyFrom, header.contentEnd), () =>
      layOutRows(header, this.#options.fields, this.#outputs, this.#options.delimiter),
    );
    this.#forgetOld(layout);
    this.#chunk++;
    const rows = this.#scanner;
    rows.scan(block.bytes, layout, header.rowsFrom, block.bodyEnd);
    if (rows.count > 0 && this.#earlier === null) await this.#recall(layout, context);
    if (rows.count > 0) this.#warnMissing(layout);
    if (this.#routes === undefined && rows.holdsText(layout)) await this.#route(await this.#routesBy(context));
    this.#reader.read(block.bytes, layout, rows);
    if (rows.count > 0) await this.#answer(rows.count, context);
    return { block, layout, rows, suffixes: this.#suffixes, headerEnd: header.contentEnd };
  }

  /** What this search leaves to later ones; `null`: nothing new. */
  gather(nowS: number): (TakenSnapshot & { readonly keys: SearchKeys }) | null {
    const keys = this.#keysOf(this.#layout);
    const taken = keys === null ? null : takeSnapshot(this.#parts(), nowS);
    if (keys === null || taken === null) return null;
    const { fields } = this.#options;
    const own = this.#routes?.map((route, n) => [fields[n], route] as const);
    const routes = own && { ...this.#earlier?.routes, ...Object.fromEntries(own) };
    return { ...taken, keys, known: { ...taken.known, ...(routes && { routes }) } };
  }

  /** Says what the search would cost; only with `mode=plan`. */
  async sumUp(context: RowContext): Promise<void> {
    if (this.#options.mode !== 'plan') return;
    if (this.#planned.size === 0) {
      this.#notes.say('INFO', 'isMalicious plan: no values to look up.');
      return;
    }
    const enricher = await context.open();
    const { providers, maxAgeS, tlp } = this.#options;
    const options = {
      ...(providers === null ? {} : { providers }),
      ...(maxAgeS === null ? {} : { maxAgeS }),
      ...(tlp === undefined ? {} : { tlp }),
    };
    const plan = await context.wait((signal) => enricher.plan(this.#planned, { ...options, signal }));
    this.#notes.say('INFO', toPlanText(plan, this.#planned.size >= MAX_PLANNED_VALUES));
  }

  async #recall(layout: RowLayout, { recall, nowS }: RowContext): Promise<void> {
    const keys = this.#keysOf(layout);
    this.#earlier = new EarlierSearches(this.#parts(), keys === null ? undefined : recall?.(keys), nowS);
    if (!(await this.#earlier.goOn())) return;
    const { routes } = this.#earlier;
    const known = this.#options.fields.flatMap((field) => routes?.[field] ?? []);
    // Of a field that no earlier search looked up, only the engine knows the route.
    if (routes === undefined || known.length === this.#options.fields.length) await this.#route(routes === undefined ? null : known);
  }

  async #routesBy({ open }: RowContext): Promise<readonly string[] | null> {
    const { routeOf } = await open();
    this.#earlier?.end();
    return routeOf === undefined ? null : this.#options.fields.map(routeOf);
  }

  async #route(routes: readonly string[] | null): Promise<void> {
    this.#routes = routes;
    if (routes === null) return;
    const words = await import('../model/question.ts');
    this.#reader.route(routes, words);
    this.#answers.valueOf = words.valueOf;
  }

  #parts(): SnapshotParts {
    return { values: this.#values, answers: this.#answers, suffixes: this.#suffixes };
  }

  /** What answers depend on besides the settings, and what tells this search from others; `null`: earlier answers do not count in it. */
  #keysOf(layout: RowLayout | null): SearchKeys | null {
    const { fields, details, only, providers, maxAgeS, mode, tlp, profile, trace } = this.#options;
    // A trace is read from the cache itself.
    if (layout === null || mode === 'plan' || maxAgeS !== null || trace === true) return null;
    const asked = providers === null ? null : [...new Set(providers)].sort();
    const question = JSON.stringify({ asked, tlp, profile });
    return { question, shape: JSON.stringify({ question, fields, details, only }) };
  }

  async #answer(rows: number, context: RowContext): Promise<void> {
    const { fields, mode } = this.#options;
    const ids = this.#reader.ids.subarray(0, rows * fields.length);
    const collected = this.#answers.collect(ids, this.#reader.multivalues, this.#chunk, context.nowS);
    const asked = (await this.#earlier?.adopt(collected, context.nowS)) ?? collected;
    if (mode === 'plan') this.#plan(asked, context.nowS);
    else if (asked.length > 0) {
      this.#earlier?.end();
      await this.#answers.ask(asked, await context.open(), context);
    }
    this.#suffixes.choose(this.#reader, rows, this.#chunk);
  }

  #plan(ids: readonly number[], nowS: number): void {
    for (const id of ids) {
      const value = this.#values.textOf(id);
      if (this.#planned.size < MAX_PLANNED_VALUES) this.#planned.add(value);
      this.#answers.settle(id, plannedEnrichment(this.#answers.valueOf(value)), nowS);
    }
  }

  #warnMissing({ fieldSpans }: RowLayout): void {
    for (const [n, place] of fieldSpans.entries())
      if (place < 0)
        this.#notes.say(
          'WARN',
          `isMalicious: the events have no field "${this.#options.fields[n]}"; check its spelling (case counts), or extract it before this command.`,
        );
  }

  /** The layout of the chunk before, while the header stays the same. */
  #layOut(header: string, layOut: () => RowLayout): RowLayout {
    if (this.#layout === null || header !== this.#header) {
      this.#layout = layOut();
      this.#header = header;
    }
    return this.#layout;
  }

  /** Starts anew when too much was kept, or when what was kept does not fit the layout. */
  #forgetOld(layout: RowLayout): void {
    const fits = this.#suffixes.use(layout);
    if (fits && this.#values.count <= MAX_KEPT_VALUES && this.#suffixes.rendered.size <= MAX_KEPT_BYTES) return;
    this.#values.clear();
    this.#answers.clear();
    this.#suffixes.forget();
  }
}
