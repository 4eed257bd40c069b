import type { FindInText } from '../../events/text-values.ts';

/** Begins to read a text. Loaded when it is needed: extraction brings the public suffix list. */
export async function loadExtraction() {
  return (await import('../../extract/extract.ts')).extractInSlices;
}

/** What searches the texts of those fields; `undefined`: no settings name any. */
export async function loadTextSearch(fields: readonly (readonly string[] | undefined)[]): Promise<FindInText | undefined> {
  if (fields.every((names = []) => names.length === 0)) return undefined;
  return (await import('../../extract/find-in-text.ts')).findInText;
}
