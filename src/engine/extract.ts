import type { Extracted, ExtractOptions } from '../model/extract/extracted.ts';
import { extractIndicators } from '../model/extract/extract-indicators.ts';
import { hasPublicSuffix } from './registrable-domain.ts';

/** Finds the indicators in a text, as `extractIndicators` does, with ICANN's list of public suffixes. */
export function extractFromText(text: string, options: Omit<ExtractOptions, 'hasPublicSuffix'> = {}): Extracted[] {
  return extractIndicators(text, { ...options, hasPublicSuffix });
}
