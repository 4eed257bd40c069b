import type { Extracted } from './extracted.ts';
import { beginExtraction } from './extract-indicators.ts';
import { hasPublicSuffix } from './public-suffix.ts';

/**
 * The indicators in a short text, each place; hosts of URLs and e-mail addresses are no finds of their own. Vulnerability ids are none: in a
 * log they name the rule that fired, not what was met.
 */
export function findInText(text: string): Extracted[] {
  const found = beginExtraction(text, { hasPublicSuffix, withHosts: false }).readUntil(text.length);
  return found.filter(({ type }) => type !== 'cve');
}
