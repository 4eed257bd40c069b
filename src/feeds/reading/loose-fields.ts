import * as z from 'zod/mini';

const MAX_REFERENCE_CHARS = 2048;
const MAX_CONFIDENCE = 100;

/**
 * What stands around an indicator in a feed: times, tags, flags. A vendor that sends it in another type (`"75"` for 75, `null` for no tags)
 * still named the indicator; so these schemas take anything, and what cannot be read is "not said".
 */

/** Text; a number is taken as its digits. `null`: anything else. */
export const looseText = loosely((value) =>
  typeof value === 'string' ? value : typeof value === 'number' && Number.isFinite(value) ? String(value) : null,
);

/** A list of words, or one text with commas between them. What is no text in it is left out. */
export const looseWords = loosely((value): readonly string[] => {
  if (typeof value === 'string') return value.split(',');
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : [];
});

/** A yes or no, also as `1`, `"1"`, `"true"`. `null`: not said. */
export const looseFlag = loosely((value) => {
  const word = String(value).trim().toLowerCase();
  if (word === 'true' || word === '1') return true;
  return word === 'false' || word === '0' ? false : null;
});

/** A percentage, 0 to 100 and whole, also as digits. `null`: not said. */
export const looseConfidence = loosely((value) => {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !(number >= 0 && number <= MAX_CONFIDENCE)) return null;
  return Math.trunc(number);
});

/** A list; `null` and what is no list are an empty one. */
export const looseList = loosely((value): readonly unknown[] => (Array.isArray(value) ? value : []));

/** A list that may be left out or `null`; anything else is refused. */
export const listOrNone = z.pipe(
  z.nullish(z.array(z.unknown())),
  z.transform((list): readonly unknown[] => list ?? []),
);

/** The names of tags as MISP writes them, `[{ name }]`, or as plain words. */
export const looseTagNames = loosely((value): readonly string[] =>
  (Array.isArray(value) ? value : typeof value === 'string' ? value.split(',') : [])
    .map((tag: unknown) => (typeof tag === 'object' && tag !== null && 'name' in tag ? tag.name : tag))
    .filter((name) => typeof name === 'string'),
);

/** A page that a person can open. `null`: anything but an http(s) URL. */
export const looseLink = loosely((value) =>
  typeof value === 'string' && value.length <= MAX_REFERENCE_CHARS && /^https?:\/\/\S+$/i.test(value) ? value : null,
);

function loosely<Out>(read: (value: unknown) => Out) {
  return z.pipe(z.optional(z.unknown()), z.transform(read));
}
