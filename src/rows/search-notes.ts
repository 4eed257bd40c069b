import type { Plan } from '../engine/enricher.ts';
import { isFailure } from '../model/enrichment.ts';
import type { Answer, Status } from '../model/enrichment.ts';
import { inertText } from '../model/formats/inert-text.ts';

/** One message for the search's job inspector and, from `WARN` on, its banner. */
export type InspectorMessage = readonly [level: 'INFO' | 'WARN' | 'ERROR', text: string];

// Beyond this many distinct values a failure is counted as "at least".
const MAX_COUNTED_VALUES = 100_000;

/**
 * What a search has to say besides its rows: each missing field once, each kind of failure once with its count.
 * A failure is never told row by row: a search of a million rows has one message.
 */
export class SearchNotes {
  #messages: InspectorMessage[] = [];
  readonly #known = new Set<string>();
  readonly #failures = new Map<Status, { values: Set<string>; message: string }>();

  /** Says a thing once a search. */
  say(level: InspectorMessage[0], said: string): void {
    const text = inertText(said);
    if (this.#known.has(text)) return;
    this.#known.add(text);
    this.#messages.push([level, text]);
  }

  /** Counts an answer that failed, wholly or in part. */
  count(value: string, answer: Answer): void {
    const { status } = answer;
    if (status === 'invalid' || !(isFailure(status) || status === 'partial')) return;
    let failure = this.#failures.get(status);
    if (failure === undefined) {
      failure = { values: new Set(), message: answer.message ?? '' };
      this.#failures.set(status, failure);
    }
    if (failure.values.size < MAX_COUNTED_VALUES) failure.values.add(value);
  }

  /** Turns the failures counted so far into messages: once, when the search is over. */
  sumUp(): void {
    for (const [status, { values, message }] of this.#failures) {
      const count = `${values.size >= MAX_COUNTED_VALUES ? 'at least ' : ''}${values.size} ${values.size === 1 ? 'value' : 'values'}`;
      const what = status === 'partial' ? 'answered by some providers only' : `not looked up: ${status.replaceAll('_', ' ')}`;
      this.say('WARN', `isMalicious: ${count} ${what}${message === '' ? '' : ` – ${message}`}`);
    }
    this.#failures.clear();
  }

  /** Metadata for the next reply: the messages not yet told, or nothing. */
  take(): { inspector?: { messages: InspectorMessage[] } } {
    const messages = this.#messages;
    this.#messages = [];
    return messages.length === 0 ? {} : { inspector: { messages } };
  }
}

/** The cost of a search in one line. `isCapped`: more values were seen than are planned for. */
export function toPlanText(plan: Plan, isCapped: boolean): string {
  const byProvider = Object.entries(plan.byProvider)
    .filter(([, calls]) => calls > 0)
    .map(([provider, calls]) => `${provider} ${calls}${toCredits(plan.creditsLeft[provider])}`);
  const parts = [
    `${isCapped ? 'the first ' : ''}${plan.values} distinct values`,
    `${plan.unique} unique indicators`,
    `${plan.invalid} invalid`,
    `${plan.refused} never sent (private, internal, allow-listed)`,
    `${plan.local} answered locally`,
    `${plan.cached} in the cache`,
    `${plan.toPay} look-ups to pay${byProvider.length === 0 ? '' : ` (${byProvider.join(', ')})`}`,
    ...(plan.estimatedS === null ? [] : [`about ${plan.estimatedS} s`]),
  ];
  return `isMalicious plan: ${parts.join(', ')}. Nothing was spent; leave out mode=plan to look them up.`;
}

function toCredits(left: number | null | undefined): string {
  return left === null || left === undefined ? '' : ` of ${left} credits left`;
}
