/**
 * Characters that act on whatever shows them instead of being shown: C0 and C1 controls with line breaks, the line and paragraph
 * separators, and the marks that turn the direction of writing (Unicode TR 36 §2.10, "Trojan Source").
 */
// oxlint-disable-next-line no-control-regex
const ACTIVE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/;
// oxlint-disable-next-line no-control-regex
const ALL_ACTIVE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+/g;

/**
 * Text of others (providers, feeds, analysts, file names) on one line, for terminals, logs, mails and cells: what would act on the
 * place that shows it becomes a blank. Everything else stays.
 */
export function inertText(text: string): string {
  return ACTIVE.test(text) ? text.replace(ALL_ACTIVE, ' ') : text;
}
