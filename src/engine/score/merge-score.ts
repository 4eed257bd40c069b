import type { ProviderResult } from '../../model/enrichment.ts';
import { contributionsOf, type MergedScore, OWN_WORD, type Scoring, type Signal, type Subject } from './scoring.ts';
import { mergeSeed } from './seed-score.ts';
import { heardOf, signalsOf } from './signals.ts';

/** A provider that does not say how sure it is counts as this sure. */
const UNSAID_CONFIDENCE = 60;
/** Nobody's word counts for nothing because of doubt alone. */
const LEAST_CONFIDENCE = 5;
/** What is left of the strongest signal, however many disagree with it: one good source is enough to look. */
const FLOOR_SHARE = 0.85;
/** Below this confidence a signal holds up less. */
const FIRM_CONFIDENCE = 50;

/**
 * The merged score: the mean of what was said, weighted by provider and confidence, and never less than what the strongest trusted signal
 * holds up. Monotone in every score; one score alone stays what it is; who did not answer is no zero.
 */
export function mergeScores(said: readonly ProviderResult[], scoring: Scoring, subject: Subject): MergedScore {
  const results = heardOf(said, scoring);
  const override = overrideOf(results);
  if (override) return override;
  const seed = scoring.formula === 'seed' ? mergeSeed(results, subject) : null;
  if (seed) return seed;
  const signals = signalsOf(results, scoring, subject);
  const contributions = results.map(() => 0);
  if (signals.length === 0) return { score: null, contributions, isLowered: false, lines: ['no provider gave a score'] };
  const mean = meanOf(signals);
  const strongest = signals.reduce((best, signal) => (heldUp(signal) > heldUp(best) ? signal : best));
  const floor = heldUp(strongest);
  const score = Math.round(Math.max(mean, floor));
  const parts = contributionsOf(
    score,
    signals.map((signal) => signal.score * pull(signal)),
  );
  signals.forEach(({ at }, n) => (contributions[at] = parts[n] ?? 0));
  const isLowered = signals.some(({ notes }) => notes.length > 0);
  const lines = [...signals.flatMap(({ notes }) => notes), ...linesOf(signals, { mean, floor, strongest })];
  return { score, contributions, isLowered, lines };
}

/** An analyst has decided: all points are theirs, whatever providers say. */
function overrideOf(results: readonly ProviderResult[]): MergedScore | null {
  const score = results.find(({ provider }) => provider === 'feedback')?.score ?? null;
  if (score === null) return null;
  const contributions = results.map(({ provider }) => (provider === 'feedback' ? score : 0));
  return { score, contributions, isLowered: false, lines: [`an analyst decided: ${score}`] };
}

/** How much a signal draws the mean to itself. */
function pull({ weight, confidence }: Signal): number {
  return weight * Math.max(LEAST_CONFIDENCE, confidence ?? UNSAID_CONFIDENCE);
}

function meanOf(signals: readonly Signal[]): number {
  const sum = signals.reduce((total, signal) => total + signal.score * pull(signal), 0);
  return sum / signals.reduce((total, signal) => total + pull(signal), 0);
}

/** What a signal alone keeps the score at. Own lists and analysts are not argued down at all. */
function heldUp({ provider, weight, score, confidence }: Signal): number {
  if (OWN_WORD.has(provider)) return score;
  const trust = Math.min(1, weight) * Math.min(1, (confidence ?? FIRM_CONFIDENCE) / FIRM_CONFIDENCE);
  return score * FLOOR_SHARE * trust;
}

function linesOf(signals: readonly Signal[], { mean, floor, strongest }: { mean: number; floor: number; strongest: Signal }): string[] {
  if (signals.length === 1) return [`the only score: ${strongest.score} by ${strongest.provider}`];
  const said = signals.map(
    ({ provider, score, weight, confidence }) =>
      `${provider} ${score} (weight ${weight}, confidence ${confidence ?? `not said, taken as ${UNSAID_CONFIDENCE}`})`,
  );
  const lines = [`weighted mean ${mean.toFixed(1)} of ${said.join(', ')}`];
  if (floor > mean) lines.push(`held up to ${floor.toFixed(1)} by ${strongest.provider}, the strongest signal`);
  return lines;
}
