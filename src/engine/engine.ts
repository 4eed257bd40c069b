// src/engine/: one question about indicators, answered. What takes part has rooms of its own: calls, cache, score, privacy, feedback.
import type { Enrichment } from '../model/enrichment.ts';
import type { Indicator, LookupReading } from '../model/indicator.ts';
import { parseIndicator } from '../model/parse-indicator.ts';
import { isMarked, readQuestion } from '../model/question.ts';
import { readForLookup } from '../model/read-for-lookup.ts';
import { createAnswerPool } from './cache/answer-pool.ts';
import { CLOCK_SKEW_S, epochS } from './clock.ts';
import type { EngineOptions } from './engine-options.ts';
import type { Enricher, EnrichOptions, Plan } from './enricher.ts';
import type { LocalSource } from './privacy/local-source.ts';
import { enrichmentOf, shown, unasked } from './enrichment-of.ts';
import { explainScore } from './score/merge-outcomes.ts';
import { planLookups, type PlannedValue } from './plan.ts';
import type { ClientStats } from './calls/provider-client.ts';
import { recallStored } from './recall-stored.ts';
import { type Open, outcomesAtHome, type Round, type RoundEntry } from './round-parts.ts';
import { askRound, startRound } from './round.ts';
import type { WaitingStats } from './calls/jobs/waiting-limit.ts';
import type { StoreStats, VerdictStore } from './cache/verdict-store.ts';
import type { View } from './cache/provider-view.ts';
import { ProviderViews } from './provider-views.ts';
import { enrichByRoute } from './field-routes.ts';
import { enrichmentOfParts, type PartsReading } from './value-parts.ts';

/** Values that are looked for on disk together. What they need meanwhile is gone before the next ones come. */
const BLOCK = 1024;

/** Indicators of whom somebody has to be asked, by canonical value, with the spellings they came in. */
type Asked = Map<string, { readonly open: Open; readonly inputs: string[] }>;

type Take = NonNullable<EnrichOptions['take']>;

/** Reads a value: as it stands in an event, or as a part that was found in one, which is not taken apart again. */
type Read = (value: string) => LookupReading;

/** Where values go that are looked up together: to be asked, to be asked by their parts, or answered. */
interface Sorting {
  readonly read: Read;
  readonly asked: Asked;
  readonly split: Map<string, PartsReading>;
  readonly take: Take;
}

/** Figures for `doctor`, `/metrics` and `| ismaliciousquota`. */
export interface EngineStats {
  readonly providers: readonly ClientStats[];
  readonly store: StoreStats;
  readonly memoryEntries: number;
  /** Values answered since the start that providers answer for: from memory or a cache, and by asking one. */
  readonly recalled: number;
  readonly fetched: number;
  readonly waiting: WaitingStats;
  readonly local: ReturnType<LocalSource['stats']>;
}

/** The enrichment core: everything hosts ask goes through here. */
export class Engine implements Enricher {
  readonly store: VerdictStore;
  readonly routeOf: Enricher['routeOf'];
  readonly #options: EngineOptions;
  readonly #pool;
  readonly #views: ProviderViews;
  readonly #mainView: View;
  readonly #read: Read = (value) => readForLookup(value, this.#options.maxValueBytes);
  #generation = 0;
  #recalled = 0;
  #fetched = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.store = options.store;
    this.routeOf = options.routes?.routeOf;
    this.#pool = createAnswerPool(options.scoring, options.memoryEntries);
    this.#views = new ProviderViews(options);
    this.#mainView = this.#views.main;
    options.local.onChange(() => this.forget());
    options.feedback?.onChange(() => this.forget());
    options.shared?.onReplaced((values) => this.#forgetValues(values));
  }

  peek(value: string): Enrichment | undefined {
    const { routes } = this.#options;
    if (routes === undefined || !isMarked(value)) return this.#peekIn(this.#mainView, value);
    const question = readQuestion(value);
    return this.#peekIn(this.#views.ofRoute(routes.resolve(question.route)), question.value);
  }

  #peekIn(view: View, value: string): Enrichment | undefined {
    const known = this.#recall(value, { view, maxAgeS: Infinity, read: this.#read });
    if ('input' in known) return known;
    return 'parts' in known ? this.#peekParts(view, value, known) : undefined;
  }

  enrichMany(values: Iterable<string>, wanted: EnrichOptions = {}): Promise<Map<string, Enrichment>> {
    const { routes } = this.#options;
    if (routes === undefined) return this.#enrich(values, wanted, this.#read);
    return enrichByRoute(routes, values, wanted, (plain, options) => this.#enrich(plain, options, this.#read));
  }

  async #enrich(values: Iterable<string>, wanted: EnrichOptions, read: Read): Promise<Map<string, Enrichment>> {
    const answered = new Map<string, Enrichment>();
    const take = wanted.take ?? ((value: string, enrichment: Enrichment) => void answered.set(value, enrichment));
    const round = startRound(this.#options, this.#pool, this.#views.of(wanted), wanted);
    const asked: Asked = new Map();
    const split = new Map<string, PartsReading>();
    let block: string[] = [];
    for (const value of values) {
      if (block.push(value) < BLOCK) continue;
      this.#recallBlock(round, block, { read, asked, split, take });
      block = [];
    }
    this.#recallBlock(round, block, { read, asked, split, take });
    const parts = split.size === 0 ? null : this.#enrichParts(split, wanted, take);
    await Promise.all([asked.size === 0 ? null : this.#askAll(round, asked, take), parts]);
    return answered;
  }

  async #askAll(round: Round, asked: Asked, take: Take): Promise<void> {
    const startedMs = this.#options.clock.monotonicMs();
    const all = [...asked.values()];
    const { entries, hasAsked } = await askRound(
      round,
      all.map(({ open }) => open),
    );
    this.#count(entries);
    if (hasAsked) this.#options.figures?.answered(this.#options.clock.monotonicMs() - startedMs);
    for (const [n, { open, inputs }] of all.entries())
      for (const input of inputs) take(input, enrichmentOf(input, open.indicator, entries[n], this.#options.tracer));
  }

  /** Values that are asked about by their parts. */
  async #enrichParts(split: ReadonlyMap<string, PartsReading>, wanted: EnrichOptions, take: Take): Promise<void> {
    const values = new Set([...split.values()].flatMap(({ parts }) => parts.map((part) => part.value)));
    const { take: _take, ...options } = wanted;
    const found = await this.#enrich(values, options, parseIndicator);
    for (const [value, { parts, note }] of split) {
      const known = parts.map((part) => found.get(part.value)).filter((one) => one !== undefined);
      take(value, enrichmentOfParts(shown(value), known, note));
    }
  }

  #peekParts(view: View, value: string, { parts, note }: PartsReading): Enrichment | undefined {
    const known: Enrichment[] = [];
    for (const part of parts) {
      const one = this.#recall(part.value, { view, maxAgeS: Infinity, read: parseIndicator });
      if (!('input' in one)) return undefined;
      known.push(one);
    }
    return enrichmentOfParts(shown(value), known, note);
  }

  plan(values: Iterable<string>, wanted: EnrichOptions = {}): Promise<Plan> {
    return planLookups(this.#options, this.#questions(values, wanted), wanted.maxAgeS ?? Infinity);
  }

  *#questions(values: Iterable<string>, wanted: EnrichOptions): Generator<PlannedValue> {
    const { routes } = this.#options;
    const view = this.#views.of(wanted);
    for (const value of values) {
      if (routes === undefined || !isMarked(value)) yield { value, view };
      else {
        const question = readQuestion(value);
        yield { value: question.value, view: this.#views.of({ ...wanted, route: routes.resolve(question.route) }) };
      }
    }
  }

  /** How the score came about, one line each, for people. */
  explain({ answer, indicator }: Enrichment): readonly string[] {
    if (indicator === null) return [];
    return explainScore(answer, this.#options.scoring, { type: indicator.type, nowS: epochS(this.#options.clock) });
  }

  stats(): EngineStats {
    const { store, local, waiting } = this.#options;
    return {
      providers: this.#options.providers.map(({ client }) => client.stats()),
      store: store.stats(),
      memoryEntries: this.#mainView.memory.size,
      recalled: this.#recalled,
      fetched: this.#fetched,
      waiting: waiting.stats(),
      local: local.stats(),
    };
  }

  /** Forgets what memory holds, after lists or settings changed. */
  forget(): void {
    this.#views.forget();
    this.#generation++;
  }

  #forgetValues(values: readonly string[]): void {
    if (this.#views.forgetValues(values)) this.#generation++;
  }

  generation(): number {
    return this.#generation;
  }

  /** How many calls are out. */
  inFlight(): number {
    return this.#options.providers.reduce((sum, { client }) => sum + client.stats().inFlight, 0);
  }

  /** Makes no further call, and waits up to `mostMs` for those that are out: they are paid for, and their answers go to the cache. */
  async finish(mostMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, mostMs)));
    await Promise.race([Promise.all(this.#options.providers.map(({ client }) => client.finish())), late]);
    clearTimeout(timer);
  }

  async close(): Promise<void> {
    const { providers, store, local, figures, onClose } = this.#options;
    for (const { client } of providers) client.close();
    figures?.close();
    store.close();
    local.close();
    await onClose();
  }

  /** Own lists, refusals and failures are in neither count. */
  #count(entries: readonly (RoundEntry | undefined)[]): void {
    for (const entry of entries)
      if (entry?.source === 'cache') this.#recalled++;
      else if (entry?.source === 'live' || entry?.source === 'coalesced') this.#fetched++;
  }

  /** Hands over what memory, lists and disk know of some values; those of whom somebody has to be asked go into `asked`. */
  #recallBlock(round: Round, values: readonly string[], { read, asked, split, take }: Sorting): void {
    const maxAgeS = round.wanted.isTest ? -Infinity : (round.wanted.maxAgeS ?? Infinity);
    const places = new Map<string, number>();
    const indicators: Indicator[] = [];
    const inputs: string[] = [];
    const others: { readonly at: number; readonly value: string }[] = [];
    for (const value of values) {
      const known = this.#recall(value, { view: round.view, maxAgeS, read });
      if ('input' in known) {
        take(value, known);
        continue;
      }
      if ('parts' in known) {
        split.set(value, known);
        continue;
      }
      const at = places.get(known.value);
      const earlier = asked.get(known.value);
      if (earlier !== undefined) earlier.inputs.push(value);
      else if (at !== undefined) others.push({ at, value });
      else {
        places.set(known.value, indicators.length);
        indicators.push(known);
        inputs.push(value);
      }
    }
    if (indicators.length === 0) return;
    const entries: (RoundEntry | undefined)[] = Array.from({ length: indicators.length });
    for (const open of recallStored(round, { indicators, places }, entries)) asked.set(open.indicator.value, { open, inputs: [] });
    this.#count(entries);
    const give = (at: number, input: string) => {
      const indicator = indicators[at] as Indicator;
      if (entries[at] === undefined) asked.get(indicator.value)?.inputs.push(input);
      else take(input, enrichmentOf(input, indicator, entries[at], this.#options.tracer));
    };
    for (let at = 0; at < inputs.length; at++) give(at, inputs[at] as string);
    for (const { at, value } of others) give(at, value);
  }

  /** What memory and our own lists know; an indicator when the disk or a provider has to be asked. */
  #recall(value: string, { view, maxAgeS, read }: { view: View; maxAgeS: number; read: Read }): Enrichment | Indicator | PartsReading {
    const parsed = read(value);
    if (parsed.kind === 'invalid') return unasked(shown(value), null, this.#pool.unasked('invalid', parsed.reason));
    if (parsed.kind === 'nothing') return unasked(shown(value), null, this.#pool.unasked('skipped_empty', parsed.reason));
    if (parsed.kind === 'parts') return parsed;
    const { indicator } = parsed;
    const known = view.memory.get(indicator.value);
    if (known) {
      const { checkedAtS, expiresAtS } = known;
      const nowS = epochS(this.#options.clock);
      if (expiresAtS > nowS && checkedAtS >= nowS - maxAgeS && checkedAtS <= nowS + CLOCK_SKEW_S) {
        if (known.source === 'cache') this.#recalled++;
        return enrichmentOf(value, indicator, known, this.#options.tracer);
      }
    }
    return parsed.kind === 'private' ? this.#recallPrivate(value, indicator, parsed.reason) : indicator;
  }

  /** Never leaves; our own lists and analysts may know it all the same. */
  #recallPrivate(value: string, indicator: Indicator, reason: string): Enrichment {
    const nowS = epochS(this.#options.clock);
    const known = outcomesAtHome({ view: this.#mainView, options: this.#options, nowS }, indicator);
    if (known.length === 0) return unasked(value, indicator, this.#pool.unasked('skipped_private', reason, ': never sent out'));
    const answer = this.#pool.ofPrivate(this.#pool.merge(known, { type: indicator.type, nowS }), reason);
    const entry = { answer, source: 'local', checkedAtS: nowS, expiresAtS: null } as const;
    return enrichmentOf(value, indicator, entry, this.#options.tracer);
  }
}
