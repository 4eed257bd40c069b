import * as z from 'zod/mini';
import { type Answer, type ProviderResult, STATUSES, TIERS } from '../model/enrichment.ts';
import { LOOKUP_ERROR_CODES } from '../model/lookup-error.ts';
import { VERDICT_WORDS } from '../model/verdict.ts';

const number = z._default(z.nullable(z.number()), null);
const text = z._default(z.nullable(z.string()), null);
const list = z._default(z.array(z.string()), () => []);

/** Fields of an answer and of its providers by their stored name: a million answers would spell the whole names a million times. */
const Judged = {
  v: z.enum(VERDICT_WORDS),
  n: number,
  c: number,
  k: list,
  a: list,
  g: number,
  f: text,
  l: text,
  r: text,
  m: text,
};
const StoredProvider = z.object({
  ...Judged,
  i: z.string(),
  s: z._default(z.enum(['ok', 'pending', 'not_listed', ...LOOKUP_ERROR_CODES]), 'ok'),
  x: z._default(z.number(), 0),
});
const StoredAnswer = z.object({
  ...Judged,
  s: z._default(z.enum(STATUSES), 'ok'),
  t: z.enum(TIERS),
  o: z._default(z.boolean(), false),
  p: z._default(z.array(StoredProvider), () => []),
});

/** An answer as it is stored: JSON with short names, without the fields that say nothing. */
export function packAnswer(answer: Answer): string {
  const stored = {
    ...judgedTexts(answer),
    s: answer.status,
    t: answer.tier,
    o: answer.autoResolve,
    p: answer.providers.map((result) => ({ ...judgedTexts(result), i: result.provider, s: result.status, x: result.contribution })),
  };
  return JSON.stringify(stored, (key, value: unknown) => (saysNothing(key, value) ? undefined : value));
}

/** A stored answer, whole again. Throws when it is none of ours. */
export function unpackAnswer(stored: string): Answer {
  const answer = StoredAnswer.parse(JSON.parse(stored));
  const providers = answer.p.map((result) => ({ provider: result.i, status: result.s, ...judgedFields(result), contribution: result.x }));
  return { status: answer.s, ...judgedFields(answer), tier: answer.t, autoResolve: answer.o, providers };
}

function judgedTexts(from: Answer | ProviderResult) {
  return {
    v: from.verdict,
    n: from.score,
    c: from.confidence,
    k: from.categories,
    a: from.attributes,
    g: from.sightings,
    f: from.firstSeen,
    l: from.lastSeen,
    r: from.reference,
    m: from.message,
  };
}

function judgedFields(from: Omit<z.output<typeof StoredProvider>, 'i' | 's' | 'x'>) {
  return {
    verdict: from.v,
    score: from.n,
    confidence: from.c,
    categories: from.k,
    attributes: from.a,
    sightings: from.g,
    firstSeen: from.f,
    lastSeen: from.l,
    reference: from.r,
    message: from.m,
  };
}

/** `ok` is what nearly every status says: it is the one that is left out. */
function saysNothing(key: string, value: unknown): boolean {
  return value === null || value === false || (key === 's' && value === 'ok') || (Array.isArray(value) && value.length === 0);
}
