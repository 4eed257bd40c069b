import type { EnrichOptions, Enricher, Plan } from '../../src/engine/enricher.ts';
import type { Answer, Enrichment, ProviderResult, Source, Status, Tier } from '../../src/model/enrichment.ts';
import type { Indicator, IndicatorType } from '../../src/model/indicator.ts';
import type { VerdictWord } from '../../src/model/verdict.ts';

/** One row of the table: what the only provider says about a value. */
export interface FakeVerdict {
  readonly verdict: VerdictWord;
  readonly status?: Status;
  readonly score?: number | null;
  readonly confidence?: number | null;
  readonly categories?: readonly string[];
  readonly message?: string | null;
}

/** Values with a meaning of their own in tests; every other public value gets a verdict by its bytes. */
export const FAKE_TABLE: Readonly<Record<string, FakeVerdict>> = {
  '203.0.113.5': { verdict: 'malicious', score: 92, confidence: 90, categories: ['c2', 'botnet'] },
  '203.0.113.6': { verdict: 'suspicious', score: 61, confidence: 60, categories: ['scanner'] },
  '203.0.113.7': { verdict: 'clean', score: 3, confidence: 95 },
  '203.0.113.8': { verdict: 'unknown' },
  '203.0.113.9': { verdict: 'unknown', status: 'timeout', message: 'ismalicious: no answer within 60 s; raise timeout=' },
  '203.0.113.10': {
    verdict: 'unknown',
    status: 'unauthorized',
    message: 'ismalicious: key refused (HTTP 401); check the key on the setup page',
  },
  '203.0.113.11': { verdict: 'unknown', status: 'pending', message: 'ismalicious: still being looked up; ask again in a minute' },
};

/** An engine without network, clock or disk: the same value always gets the same answer. */
export class FakeEnricher implements Enricher {
  /** The values of each call of `enrichMany`, with its options. */
  readonly calls: { values: string[]; options: EnrichOptions }[] = [];
  /** Values answered live, in order: what would have been paid. */
  readonly paid: string[] = [];
  /** The last answer to each value, as it was given. */
  readonly answers = new Map<string, Enrichment>();
  /** How often memory was asked for one value. */
  peeks = 0;
  planned: string[] = [];
  isClosed = false;
  readonly #table: Readonly<Record<string, FakeVerdict>>;
  readonly #memory = new Map<string, Enrichment>();
  readonly #shared = new Map<string, Answer>();
  readonly #nowS: () => number;

  constructor(table: Readonly<Record<string, FakeVerdict>> = FAKE_TABLE, nowS: () => number = () => 1_700_000_000) {
    this.#table = table;
    this.#nowS = nowS;
  }

  peek(value: string): Enrichment | undefined {
    this.peeks++;
    return this.#recall(value);
  }

  #recall(value: string): Enrichment | undefined {
    const offline = this.#offline(value);
    if (offline) return offline;
    const known = this.#memory.get(normalise(value));
    if (known === undefined || (known.expiresAtS ?? Infinity) <= this.#nowS()) return undefined;
    return { ...known, input: value, source: 'cache' };
  }

  async enrichMany(values: Iterable<string>, options: EnrichOptions = {}): Promise<Map<string, Enrichment>> {
    const asked = [...values];
    this.calls.push({ values: asked, options });
    options.signal?.throwIfAborted();
    await Promise.resolve();
    for (const value of asked) this.answers.set(value, this.#answer(value, options));
    return new Map(asked.map((value) => [value, this.answers.get(value) as Enrichment]));
  }

  async plan(values: Iterable<string>): Promise<Plan> {
    this.planned = [...values];
    const invalid = this.planned.filter((value) => typeOf(normalise(value)) === null).length;
    const refused = this.planned.filter((value) => isPrivate(normalise(value))).length;
    const toPay = this.planned.length - invalid - refused;
    return {
      values: this.planned.length,
      unique: new Set(this.planned.map(normalise)).size - invalid,
      invalid,
      refused,
      local: 0,
      cached: 0,
      toPay,
      byProvider: { ismalicious: toPay },
      creditsLeft: { ismalicious: 5000 },
      estimatedS: 2,
    };
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  #answer(value: string, options: EnrichOptions): Enrichment {
    const known = this.#recall(value);
    if (known && !(options.maxAgeS !== undefined && (known.checkedAtS ?? 0) < this.#nowS() - options.maxAgeS)) return known;
    const canonical = normalise(value);
    const { budget } = options;
    if (options.mode === 'cache') return this.#enrichment(value, canonical, { verdict: 'unknown', message: 'not in the cache' }, 'none');
    if (budget && budget.remaining <= 0) {
      return this.#enrichment(
        value,
        canonical,
        { verdict: 'unknown', status: 'over_budget', message: 'the budget of this search is used up; raise budget=' },
        'none',
      );
    }
    if (budget) budget.remaining--;
    this.paid.push(value);
    const said = this.#table[canonical] ?? byBytes(canonical);
    const isFailure = said.status !== undefined && said.status !== 'ok';
    const enrichment = this.#enrichment(value, canonical, said, isFailure ? 'none' : 'live');
    if (!isFailure) this.#memory.set(canonical, enrichment);
    return enrichment;
  }

  #offline(value: string): Enrichment | undefined {
    const canonical = normalise(value);
    if (typeOf(canonical) === null) {
      const message = 'not an IP address, domain, URL, hash or e-mail address';
      return { ...this.#enrichment(value, canonical, { verdict: 'unknown', status: 'invalid', message }, 'none'), indicator: null };
    }
    if (!isPrivate(canonical)) return undefined;
    return this.#enrichment(
      value,
      canonical,
      { verdict: 'unknown', status: 'skipped_private', message: 'special-purpose address: never sent' },
      'local',
    );
  }

  #enrichment(input: string, canonical: string, said: FakeVerdict, source: Source): Enrichment {
    const nowS = this.#nowS();
    const isAnswer = source === 'live';
    const key = JSON.stringify(said);
    let answer = this.#shared.get(key);
    if (answer === undefined) {
      answer = toAnswer(said);
      this.#shared.set(key, answer);
    }
    return {
      input,
      indicator: { type: typeOf(canonical) ?? 'ipv4-addr', value: canonical } satisfies Indicator,
      answer,
      source,
      checkedAtS: isAnswer ? nowS : null,
      expiresAtS: isAnswer ? nowS + 86_400 : null,
    };
  }
}

function toAnswer(said: FakeVerdict): Answer {
  const { verdict, status = 'ok', score = null, confidence = null, categories = [], message = null } = said;
  const asked = status === 'ok' || status === 'pending' || status === 'timeout' || status === 'unauthorized';
  const result: ProviderResult = {
    provider: 'ismalicious',
    status:
      status === 'ok'
        ? score === null
          ? 'not_listed'
          : 'ok'
        : status === 'pending'
          ? 'pending'
          : status === 'timeout'
            ? 'timeout'
            : 'unauthorized',
    verdict,
    score,
    confidence,
    categories,
    attributes: [],
    sightings: null,
    firstSeen: null,
    lastSeen: verdict === 'malicious' ? '2026-11-20T08:00:00Z' : null,
    reference: verdict === 'malicious' ? 'https://ismalicious.com/report?x=1,2' : null,
    contribution: score ?? 0,
    message,
  };
  return {
    verdict,
    status,
    score,
    confidence,
    tier: tierOf(score),
    autoResolve: verdict === 'clean' && status === 'ok' && (confidence ?? 0) >= 80,
    categories,
    attributes: [],
    sightings: null,
    firstSeen: null,
    lastSeen: result.lastSeen,
    reference: result.reference,
    message,
    providers: asked ? [result] : [],
  };
}

function tierOf(score: number | null): Tier {
  if (score === null) return 'review';
  return score >= 80 ? 'p1' : score >= 60 ? 'p2' : score >= 40 ? 'watch' : 'log';
}

function byBytes(value: string): FakeVerdict {
  let sum = 0;
  for (const byte of Buffer.from(value)) sum = (sum * 31 + byte) % 101;
  if (sum >= 80) return { verdict: 'malicious', score: sum, confidence: 80, categories: ['malware'] };
  if (sum >= 60) return { verdict: 'suspicious', score: sum, confidence: 50, categories: ['spam'] };
  return { verdict: 'clean', score: sum, confidence: 85 };
}

function normalise(value: string): string {
  return value.trim().toLowerCase().replaceAll('[.]', '.');
}

function isPrivate(value: string): boolean {
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(value);
}

function typeOf(value: string): IndicatorType | null {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(value)) return 'ipv4-addr';
  if (/^[0-9a-f:]+:[0-9a-f:]*$/.test(value)) return 'ipv6-addr';
  if (/^https?:\/\/\S+$/.test(value)) return 'url';
  if (/^[0-9a-f]{64}$/.test(value)) return 'file:sha256';
  return /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(value) ? 'domain-name' : null;
}
