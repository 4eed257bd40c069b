import type { Extracted, ExtractOptions } from '../extracted.ts';
import { extractIndicators, withoutRepeats } from '../extract-indicators.ts';
import type { MappedText } from './mapped-text.ts';
import { readPage } from './read-page.ts';
import type { PageOptions } from './read-page.ts';

/**
 * Finds the indicators of a page: in the text that it shows, with its words whole, and in its links as browsers read them. Places are those
 * of the page; `original` is what stands there.
 */
export function extractFromPage(html: string, options: ExtractOptions, how: PageOptions = {}): Extracted[] {
  const { shown, named } = readPage(html, how);
  const all = { ...options, isUnique: false };
  const found = [...findIn(named, html, all), ...findIn(shown, html, all)].toSorted((a, b) => a.offset - b.offset);
  return options.isUnique === true ? withoutRepeats(found) : found;
}

function findIn(text: MappedText, html: string, options: ExtractOptions): Extracted[] {
  return extractIndicators(text.toString(), options).map(({ type, value, original, offset }) => {
    const { start, end } = text.sourceOf(offset, offset + original.length);
    return { type, value, original: html.slice(start, end), offset: start };
  });
}
