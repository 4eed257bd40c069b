/** What people and programs write where there is nothing to write, in small letters and without brackets around it. */
const WORDS: ReadonlySet<string> = new Set(
  [
    'null nil none undefined unknown n/a n\\a n.a n.a. n_a n-a na nan empty blank missing unset unspecified unavailable void',
    'not available;not applicable;not set;not specified;not found;no value;no data;to be determined;not provided',
  ].flatMap((line, n) => line.split(n === 0 ? ' ' : ';')),
);

/** Longer texts are no placeholders: nothing of them is looked at. */
const LONGEST = 48;

const AROUND = /^[\s"'`<([{«»“”‘’\u00ad\u200b-\u200f\u2060-\u2064\ufeff]+|[\s"'`>)\]}«»“”‘’,;:\u00ad\u200b-\u200f\u2060-\u2064\ufeff]+$/g;

/** Nothing but dashes, question marks, dots and their like. */
const MARKS = /^[-–—−_?.*~=/\\|#]*$/;

/** Whether a text stands for nothing: empty, blank, a dash, "unknown", "N/A", "(null)" and their like, in any case, in quotes or brackets. */
export function isPlaceholder(text: string): boolean {
  if (text.length > LONGEST && text.trim().length > LONGEST) return false;
  const bare = text.trim().replace(AROUND, '');
  return MARKS.test(bare) || WORDS.has(bare.toLowerCase().replaceAll(/[\s_]+/g, ' ')) || WORDS.has(bare.toLowerCase());
}
