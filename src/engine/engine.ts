import type { Answer, Enrichment, Source } from '../model/enrichment.ts';
import type { Indicator } from '../model/indicator.ts';
import { parseIndicator } from '../model/parse-indicator.ts';
import { createAnswerPool } from './answer-pool.ts';
import { type Clock, epochS } from './clock.ts';
import type { Enricher, EnrichOptions, Plan } from './enricher.ts';
import type { FeedbackSource } from './feedback.ts';
import type { Figures } from './figures.ts';
import type { LocalSource } from './local-source.ts';
import { explainScore } from './merge-outcomes.ts';
import { planLookups } from './plan.ts';
import type { PrivacyGuard } from './privacy-guard.ts';
import type { ClientStats } from './provider-client.ts';
import { outcomesAtHome } from './round-parts.ts';
import { runRound } from './round.ts';
import type { Scoring } from './scoring.ts';
import type { StoreStats, VerdictStore } from './verdict-store.ts';
import { createView, type EngineProvider, type Memory, type View } from './view.ts';

/** Provider subsets with a memory of their own. */
const MAX_VIEWS = 8;

export interface EngineOptions {
  readonly providers: readonly EngineProvider[];
  readonly local: LocalSource;
  /** Analysts' overrides; `undefined`: nobody gave one. */
  readonly feedback?: FeedbackSource | undefined;
  readonly guard: PrivacyGuard;
  readonly store: VerdictStore;
  readonly scoring: Scoring;
  readonly clock: Clock;
  /** Verdicts kept in memory; 0: none, for programs that ask once and keep what they are told. */
  readonly memoryEntries: number;
  readonly createMemory: (entries: number) => Memory;
  /** Answers past their lifetime are kept this long, for the time when a provider is down; seconds. */
  readonly staleS: number;
  /** Answers past their lifetime by no more than this are given at once and renewed in the background; 0: never. Seconds. */
  readonly revalidateS: number;
  /** Whether paid providers are asked only about what they could still move to another tier. */
  readonly stopsEarly: boolean;
  /** Counts for the weekly report; `undefined`: nobody keeps them. */
  readonly figures?: Figures | undefined;
  /** Released with the engine: transports, logs. */
  readonly onClose: () => Promise<void>;
}

/** Figures for `doctor`, `/metrics` and `| ismaliciousquota`. */
export interface EngineStats {
  readonly providers: readonly ClientStats[];
  readonly store: StoreStats;
  readonly memoryEntries: number;
  readonly local: ReturnType<LocalSource['stats']>;
}

/** The enrichment core: everything hosts ask goes through here. */
export class Engine implements Enricher {
  readonly store: VerdictStore;
  readonly #options: EngineOptions;
  readonly #pool;
  readonly #mainView: View;
  readonly #views = new Map<string, View>();
  #generation = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.store = options.store;
    this.#pool = createAnswerPool(options.scoring, options.memoryEntries);
    this.#mainView = createView(options.providers, options.guard, { asksLocal: true, memory: options.createMemory(options.memoryEntries) });
    options.local.onChange(() => this.forget());
    options.feedback?.onChange(() => this.forget());
  }

  peek(value: string): Enrichment | undefined {
    const known = this.#recall(value, this.#mainView, Infinity);
    return 'input' in known ? known : undefined;
  }

  async enrichMany(values: Iterable<string>, wanted: EnrichOptions = {}): Promise<Map<string, Enrichment>> {
    const view = this.#viewOf(wanted);
    const answered = new Map<string, Enrichment>();
    // The place of every canonical value among those to look up, the first spelling of each, and further ones.
    const places = new Map<string, number>();
    const indicators: Indicator[] = [];
    const spellings: string[] = [];
    const others: { readonly at: number; readonly value: string }[] = [];
    const maxAgeS = wanted.maxAgeS ?? Infinity;
    for (const value of values) {
      const known = this.#recall(value, view, maxAgeS);
      if ('input' in known) answered.set(value, known);
      else {
        const at = places.get(known.value);
        if (at !== undefined) others.push({ at, value });
        else {
          places.set(known.value, indicators.length);
          indicators.push(known);
          spellings.push(value);
        }
      }
    }
    if (indicators.length === 0) return answered;
    const startedMs = this.#options.clock.monotonicMs();
    const { entries, hasAsked } = await runRound(this.#options, this.#pool, view, { indicators, wanted });
    if (hasAsked) this.#options.figures?.answered(this.#options.clock.monotonicMs() - startedMs);
    const take = (at: number, input: string) => {
      const entry = entries[at];
      if (!entry) throw new Error('a round answers every indicator');
      const { answer, source, checkedAtS, expiresAtS } = entry;
      answered.set(input, { input, indicator: indicators[at] as Indicator, answer, source, checkedAtS, expiresAtS });
    };
    for (let at = 0; at < spellings.length; at++) take(at, spellings[at] as string);
    for (const { at, value } of others) take(at, value);
    return answered;
  }

  plan(values: Iterable<string>, wanted: EnrichOptions = {}): Promise<Plan> {
    return planLookups(this.#options, this.#viewOf(wanted), values, wanted.maxAgeS ?? Infinity);
  }

  /** How the score came about, one line each, for people. */
  explain({ answer, indicator }: Enrichment): readonly string[] {
    if (indicator === null) return [];
    return explainScore(answer, this.#options.scoring, { type: indicator.type, nowS: epochS(this.#options.clock) });
  }

  stats(): EngineStats {
    const { store, local } = this.#options;
    return {
      providers: this.#options.providers.map(({ client }) => client.stats()),
      store: store.stats(),
      memoryEntries: this.#mainView.memory.size,
      local: local.stats(),
    };
  }

  /** Forgets what memory holds, after lists or settings changed. */
  forget(): void {
    this.#mainView.memory.clear();
    this.#views.clear();
    this.#generation++;
  }

  generation(): number {
    return this.#generation;
  }

  async close(): Promise<void> {
    const { providers, store, local, figures, onClose } = this.#options;
    for (const { client } of providers) client.close();
    figures?.close();
    store.close();
    local.close();
    await onClose();
  }

  #viewOf({ providers, tlp }: EnrichOptions): View {
    const isEverybody = !providers || providers.length === 0;
    if (isEverybody && tlp === undefined) return this.#mainView;
    const key = `${tlp ?? ''} ${isEverybody ? '' : [...providers].sort().join(',')}`;
    let view = this.#views.get(key);
    if (!view) {
      if (this.#views.size >= MAX_VIEWS) this.#views.clear();
      const { providers: all, guard, memoryEntries, createMemory } = this.#options;
      const asked = isEverybody ? all : all.filter(({ client }) => providers.includes(client.provider.id));
      const asksLocal = isEverybody || providers.includes('local');
      view = createView(asked, guard, { asksLocal, memory: createMemory(Math.ceil(memoryEntries / MAX_VIEWS)), tlp });
      this.#views.set(key, view);
    }
    return view;
  }

  /** What memory and our own lists know; an indicator when the disk or a provider has to be asked. */
  #recall(value: string, view: View, maxAgeS: number): Enrichment | Indicator {
    const parsed = parseIndicator(value);
    if (parsed.kind === 'invalid') return unasked(value, null, this.#pool.unasked('invalid', parsed.reason));
    const { indicator } = parsed;
    const known = view.memory.get(indicator.value);
    if (known) {
      const { answer, source, checkedAtS, expiresAtS } = known;
      const nowS = epochS(this.#options.clock);
      if (expiresAtS > nowS && checkedAtS >= nowS - maxAgeS) return { input: value, indicator, answer, source, checkedAtS, expiresAtS };
    }
    return parsed.kind === 'private' ? this.#recallPrivate(value, indicator, parsed.reason) : indicator;
  }

  /** Never leaves; our own lists and analysts may know it all the same. */
  #recallPrivate(value: string, indicator: Indicator, reason: string): Enrichment {
    const nowS = epochS(this.#options.clock);
    const known = outcomesAtHome({ view: this.#mainView, options: this.#options, nowS }, indicator);
    if (known.length === 0) return unasked(value, indicator, this.#pool.unasked('skipped_private', reason, ': never sent out'));
    const answer = this.#pool.merge(known, { type: indicator.type, nowS });
    return { input: value, indicator, answer, source: 'local' satisfies Source, checkedAtS: nowS, expiresAtS: null };
  }
}

function unasked(input: string, indicator: Indicator | null, answer: Answer): Enrichment {
  return { input, indicator, answer, source: 'none', checkedAtS: null, expiresAtS: null };
}
