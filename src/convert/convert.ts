import { convertCalls } from './convert-calls.ts';
import { convertSpl } from './convert-spl.ts';
import type { Converted } from './conversion.ts';
import { convertTransforms } from './convert-transforms.ts';

/** What a text is. */
export type TextKind = 'spl' | 'logstash' | 'script' | 'transforms';

/** What a text seems to be, by what stands in it. */
export function kindOf(text: string): TextKind {
  if (/\burl\s*=>\s*"/.test(text) || /^\s*(?:filter|input|output)\s*\{/m.test(text)) return 'logstash';
  if (/^\s*external_cmd\s*=/m.test(text)) return 'transforms';
  if (/^#!|^\s*(?:import|from)\s+\w+|\bcurl\s|https:\/\/(?:api\.)?ismalicious\.com/m.test(text)) return 'script';
  return 'spl';
}

/** Rewrites a text for this pack. What it does not know stays as it was. */
export function convert(text: string, kind: TextKind = kindOf(text)): Converted {
  if (kind === 'spl') return convertSpl(text);
  return kind === 'transforms' ? convertTransforms(text) : convertCalls(text, kind);
}
