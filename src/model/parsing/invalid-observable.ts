import type { ParsedObservable } from '../indicator.ts';

/** The answer for what is no indicator. `reason`: what is wrong and what to do, one line for people, without the value itself. */
export function invalid(reason: string): ParsedObservable {
  return { kind: 'invalid', reason };
}
