import { createHash } from 'node:crypto';
import { $ZodError } from 'zod/v4/core';
import * as z from 'zod/mini';
import type { Engine } from '../engine/engine.ts';
import type { Enricher, EnrichOptions } from '../engine/enricher.ts';
import type { Enrichment } from '../model/enrichment.ts';
import { parseIndicator } from '../model/parse-indicator.ts';
import { valueOf } from '../model/question.ts';
import { sendInBatches } from './kv-batches.ts';
import type { Splunkd } from './splunkd.ts';
import { SplunkdError } from './splunkd.ts';

/** The engine as the app's programs use it. */
export type AppEngine = Enricher & Pick<Engine, 'explain' | 'stats' | 'store'>;

/** How answers are shared. */
export interface Sharing {
  readonly batchSize: number;
  /** Most answers this search writes. */
  readonly maxRows: number;
  /** Seconds since 1970 (UTC). */
  readonly nowS: () => number;
}

const COLLECTION = 'ismalicious_cache';
const DATA = `/servicesNS/nobody/ismalicious/storage/collections/data/${COLLECTION}`;
const MAX_ANSWER_CHARS = 65_536;

const Row = z.object({
  provider: z.string(),
  value: z.string(),
  answer: z.string().check(z.maxLength(MAX_ANSWER_CHARS)),
  checked_at: z.number(),
  expires_at: z.number(),
});
const Found = z.array(z.array(z.unknown()));

/**
 * Shares provider answers with the other members of a search head cluster: what this host does not know is first asked of the KV store,
 * and what providers answered is put there. A KV store that fails costs time once: the search goes on without it.
 */
export function shareThroughKvStore(engine: AppEngine, splunkd: Splunkd, sharing: Sharing): AppEngine {
  const shared = new SharedVerdicts(engine, splunkd, sharing);
  return {
    store: engine.store,
    routeOf: engine.routeOf,
    peek: (value) => engine.peek(value),
    plan: (values, options) => engine.plan(values, options),
    explain: (enrichment) => engine.explain(enrichment),
    stats: () => engine.stats(),
    generation: () => engine.generation?.() ?? 0,
    enrichMany: (values, options) => shared.enrichMany(values, options),
    finish: async (mostMs) => await engine.finish?.(mostMs),
    async close() {
      await splunkd.close();
      await engine.close();
    },
  };
}

class SharedVerdicts {
  readonly #engine: AppEngine;
  readonly #splunkd: Splunkd;
  readonly #sharing: Sharing;
  #isReadable = true;
  #rowsLeft: number;

  constructor(engine: AppEngine, splunkd: Splunkd, sharing: Sharing) {
    this.#engine = engine;
    this.#splunkd = splunkd;
    this.#sharing = sharing;
    this.#rowsLeft = sharing.maxRows;
  }

  async enrichMany(values: Iterable<string>, options?: EnrichOptions): Promise<Map<string, Enrichment>> {
    const wanted = [...values];
    const startedS = this.#sharing.nowS();
    const unknown = this.#unknownHere(wanted, startedS);
    const isShared = this.#isReadable && unknown.length > 0;
    const fetched = isShared ? await this.#fetch(unknown, startedS) : new Set<string>();
    const found = await this.#engine.enrichMany(wanted, options);
    if (isShared && options?.mode !== 'cache') await this.#give(unknown, startedS, fetched);
    return found;
  }

  #providers(): string[] {
    return this.#engine.stats().providers.map(({ provider }) => provider);
  }

  /** Canonical values that a provider of ours has no usable answer about on this host. Private ones are never looked for elsewhere. */
  #unknownHere(values: readonly string[], nowS: number): string[] {
    const canonical = new Set<string>();
    for (const value of values) {
      const parsed = parseIndicator(valueOf(value));
      if (parsed.kind !== 'invalid' && parsed.kind !== 'private') canonical.add(parsed.indicator.value);
    }
    const all = [...canonical];
    const known = this.#providers().map((provider) => this.#engine.store.getMany(provider, all));
    return all.filter((value) => known.some((answers) => (answers.get(value)?.expiresAtS ?? 0) <= nowS));
  }

  /** Takes over what others were answered; tells which (see `keyOf`). */
  async #fetch(values: readonly string[], nowS: number): Promise<Set<string>> {
    const fetched = new Set<string>();
    const providers = new Set(this.#providers());
    try {
      await sendInBatches(values, this.#sharing.batchSize, async (batch) => {
        const queries = batch.map((value) => ({ query: { value } }));
        const asked = new Set(queries.map(({ query }) => query.value));
        const call = {
          path: `${DATA}/batch_find`,
          method: 'POST',
          body: JSON.stringify(queries),
          needs: `to read the collection ${COLLECTION}`,
        } as const;
        for (const row of Found.parse(await this.#splunkd.request(call)).flat()) {
          const parsed = Row.safeParse(row);
          if (!parsed.success || !isJson(parsed.data.answer)) continue;
          const { provider, value, answer, checked_at: checkedAtS, expires_at: expiresAtS } = parsed.data;
          const isUsable = expiresAtS > nowS && checkedAtS <= nowS && providers.has(provider) && asked.has(value);
          if (!isUsable || (this.#engine.store.getMany(provider, [value]).get(value)?.expiresAtS ?? 0) > nowS) continue;
          this.#engine.store.put(provider, value, { answer, checkedAtS, expiresAtS });
          fetched.add(keyOf(provider, value));
        }
      });
    } catch (error) {
      if (!(error instanceof SplunkdError) && !(error instanceof $ZodError)) throw error;
      // Not there, or not for this user: the providers are asked as without it.
      this.#isReadable = false;
    }
    return fetched;
  }

  /** Puts into the KV store what providers answered since `sinceS`. */
  async #give(values: readonly string[], sinceS: number, fetched: ReadonlySet<string>): Promise<void> {
    const rows = this.#providers().flatMap((provider) =>
      [...this.#engine.store.getMany(provider, values)]
        .filter(([value, { checkedAtS }]) => checkedAtS >= sinceS && !fetched.has(keyOf(provider, value)))
        .map(([value, { answer, checkedAtS, expiresAtS }]) => ({
          _key: keyOf(provider, value),
          provider,
          value,
          answer,
          checked_at: checkedAtS,
          expires_at: expiresAtS,
        })),
    );
    const taken = rows.slice(0, this.#rowsLeft);
    this.#rowsLeft -= taken.length;
    try {
      await sendInBatches(taken, this.#sharing.batchSize, async (batch) => {
        const body = JSON.stringify(batch);
        await this.#splunkd.request({ path: `${DATA}/batch_save`, method: 'POST', body, needs: `to write the collection ${COLLECTION}` });
      });
    } catch (error) {
      if (!(error instanceof SplunkdError)) throw error;
      // Who may only read shares nothing of his own; the answers are in this host's cache.
      this.#rowsLeft = 0;
    }
  }
}

/** One row for each provider and value. */
function keyOf(provider: string, value: string): string {
  return createHash('sha256').update(`${provider}\n${value}`).digest('hex');
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
