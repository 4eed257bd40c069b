/**
 * Characters that act on whatever shows them instead of being shown: C0 and C1 controls with line breaks, the line and paragraph
 * separators, and the marks that turn the direction of writing (Unicode TR 36 §2.10, "Trojan Source").
 */
// oxlint-disable-next-line no-control-regex
const ACTIVE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/;
// oxlint-disable-next-line no-control-regex
const ALL_ACTIVE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+/g;
// oxlint-disable-next-line no-control-regex
const ACTIVE_IN_LINES = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

/**
 * Text of others (providers, feeds, analysts, file names) on one line, for terminals, logs, mails and cells: what would act on the
 * place that shows it becomes a blank. Everything else stays.
 */
export function inertText(text: string): string {
  return ACTIVE.test(text) ? text.replace(ALL_ACTIVE, ' ') : text;
}

/** The same for our own text of several lines that may hold words of others: its line breaks stay. Escapes are shown, so that nothing vanishes. */
export function inertLines(text: string): string {
  return text.replace(ACTIVE_IN_LINES, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
