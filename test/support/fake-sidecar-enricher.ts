import type { Enricher, EnrichOptions, Plan } from '../../src/engine/enricher.ts';
import { enrichmentOfParts } from '../../src/engine/value-parts.ts';
import type { Answer, Enrichment, Status } from '../../src/model/enrichment.ts';
import { readForLookup } from '../../src/model/read-for-lookup.ts';
import type { VerdictWord } from '../../src/model/verdict.ts';

/** What the stand-in says about one canonical value. */
export interface Saying extends Partial<Omit<Answer, 'verdict'>> {
  readonly verdict: VerdictWord;
}

/** How the stand-in behaves. */
export interface FakeOptions {
  /** By canonical value; `*`: all others that are public. */
  readonly sayings?: Readonly<Record<string, Saying>>;
  /** Canonical values that memory does not know: `enrichMany` has to be asked first. `true`: all public ones. */
  readonly cold?: ReadonlySet<string> | true;
  /** Values whose look-up takes this long (they honour `timeoutMs`). */
  readonly delayMs?: number;
}

/** A stand-in for the engine: answers from a table, counts what it was asked. */
export interface FakeEnricher extends Enricher {
  readonly asked: string[][];
  readonly options: EnrichOptions[];
}

/** An answer with everything said, to be varied. */
export function answerOf(saying: Saying): Answer {
  const { verdict } = saying;
  const score = saying.score === undefined ? { malicious: 87, suspicious: 55, clean: 0, unknown: null }[verdict] : saying.score;
  return {
    status: 'ok',
    confidence: verdict === 'unknown' ? null : 90,
    categories: verdict === 'malicious' ? ['c2'] : [],
    attributes: [],
    tier: score === null ? 'review' : score >= 80 ? 'p1' : score >= 60 ? 'p2' : score >= 40 ? 'watch' : 'log',
    autoResolve: verdict === 'clean',
    sightings: null,
    firstSeen: null,
    lastSeen: null,
    reference: null,
    message: null,
    providers: [],
    ...saying,
    score,
  };
}

/** A stand-in that knows `sayings`. */
export function createFakeEnricher({ sayings = {}, cold = new Set(), delayMs = 0 }: FakeOptions = {}): FakeEnricher {
  const answers = new Map(Object.entries(sayings).map(([value, saying]) => [value, answerOf(saying)]));
  const others = answers.get('*') ?? answerOf({ verdict: 'clean' });
  const warm = new Set<string>();
  const asked: string[][] = [];
  const options: EnrichOptions[] = [];

  function answer(text: string): Enrichment {
    const plain = { input: text, source: 'none', checkedAtS: null, expiresAtS: null } as const;
    const parsed = readForLookup(text);
    if (parsed.kind === 'nothing') return { ...plain, indicator: null, answer: failed('skipped_empty', parsed.reason) };
    if (parsed.kind === 'parts')
      return enrichmentOfParts(
        text,
        parsed.parts.map(({ value }) => answer(value)),
        parsed.note,
      );
    if (parsed.kind === 'invalid') return { ...plain, indicator: null, answer: failed('invalid', parsed.reason) };
    if (parsed.kind === 'private')
      return { ...plain, indicator: parsed.indicator, answer: failed('skipped_private', parsed.reason), source: 'local' };
    return {
      input: text,
      indicator: parsed.indicator,
      answer: answers.get(parsed.indicator.value) ?? others,
      source: 'cache',
      checkedAtS: 1_790_000_000,
      expiresAtS: 4_000_000_000,
    };
  }

  function isCold(enrichment: Enrichment): boolean {
    const value = enrichment.indicator?.value;
    if (value === undefined || enrichment.source === 'local' || warm.has(value)) return false;
    return cold === true || cold.has(value);
  }

  return {
    asked,
    options,
    peek(text) {
      const enrichment = answer(text);
      return isCold(enrichment) ? undefined : enrichment;
    },
    async enrichMany(values, given = {}) {
      const texts = [...values];
      asked.push(texts);
      options.push(given);
      const late = given.timeoutMs !== undefined && given.timeoutMs < delayMs;
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(delayMs, given.timeoutMs ?? delayMs)));
      return new Map(
        texts.map((text) => {
          const enrichment = answer(text);
          if (!isCold(enrichment)) return [text, enrichment];
          if (late) return [text, { ...enrichment, answer: failed('timeout', 'no answer in time: try again later'), source: 'none' }];
          if (enrichment.indicator) warm.add(enrichment.indicator.value);
          return [text, { ...enrichment, source: 'live' }];
        }),
      );
    },
    plan(values) {
      const unique = new Set(values).size;
      const plan: Plan = {
        values: unique,
        unique,
        invalid: 0,
        refused: 0,
        local: 0,
        cached: 0,
        toPay: unique,
        byProvider: { ismalicious: unique },
        creditsLeft: { ismalicious: null },
        estimatedS: null,
      };
      return Promise.resolve(plan);
    },
    close: () => Promise.resolve(),
  };
}

function failed(status: Status, message: string): Answer {
  return answerOf({ verdict: 'unknown', status, message });
}
