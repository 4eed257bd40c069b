import { isFailure } from './enrichment.ts';
import type { Answer } from './enrichment.ts';

/** Room for the scores 100 to 0 and "no score" within one step. */
const PLACES_PER_STEP = 1000;

/** Place of a cell that held nothing: any answer goes before it. */
export const EMPTY_PLACE = 9 * PLACES_PER_STEP;

/**
 * Place of an answer among several of one event, in every host: the smallest is shown as the event's own.
 *
 * malicious, suspicious, then what failed or is not an indicator (a failure is never hidden by a clean neighbour), then
 * unknown (answered but not known, pending, over-TLP), then clean, and last what is by design never asked (private,
 * allow-listed, empty): most events have a private source beside a public destination. Within one step the higher score goes first; of
 * clean ones those that may not be resolved by themselves, so that they speak for the event.
 */
export function placeOf(answer: Answer): number {
  const within = answer.score === null ? 101 : 100 - answer.score;
  return stepOf(answer) * PLACES_PER_STEP + within;
}

function stepOf(answer: Answer): number {
  if (answer.verdict === 'malicious') return 0;
  if (answer.verdict === 'suspicious') return 1;
  if (answer.status === 'invalid') return 3;
  if (isFailure(answer.status)) return 2;
  if (answer.status === 'skipped_private' || answer.status === 'skipped_allowlist') return 7;
  if (answer.status === 'skipped_empty') return 8;
  if (answer.verdict === 'unknown') return 4;
  return answer.autoResolve ? 6 : 5;
}
