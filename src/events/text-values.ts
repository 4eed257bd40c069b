import { parseIndicator } from '../model/parse-indicator.ts';
import { hashOf } from './json/byte-hash.ts';
import { ESCAPED, noteHash, noteValue, type TextPlace, takeTexts } from './json/event-map.ts';
import type { EventMap } from './json/event-map.ts';

/** An indicator in a text. */
export interface TextFind {
  /** Canonical. */
  readonly value: string;
  /** As it stands in the text. */
  readonly original: string;
  /** Where it starts, in UTF-16 code units. */
  readonly offset: number;
}

/** Finds the indicators in a text, in its order. */
export type FindInText = (text: string) => readonly TextFind[];

/** Bytes of a text that are searched: what stands behind them is left alone. */
export const MAX_TEXT_BYTES = 65_536;
/** Different indicators that are taken out of one text. */
const MAX_FINDS = 256;

/** Puts the indicators in the texts of an event in the place of those texts, as if each stood in the field alone. */
export function openTexts(bytes: Buffer, map: EventMap, { isText, find }: { isText: readonly boolean[]; find: FindInText }): void {
  for (const place of takeTexts(map, isText)) openText(bytes, map, place, find);
}

function openText(bytes: Buffer, map: EventMap, { field, start, end, isEscaped }: TextPlace, find: FindInText): void {
  const raw = bytes.toString('utf8', start, wholeEnd(bytes, start, end));
  const text = isEscaped ? unescaped(raw) : { plain: raw, at: null };
  const seen = new Set<string>();
  let from = { char: 0, byte: start };
  for (const { value, original, offset } of find(text.plain)) {
    if (seen.size >= MAX_FINDS) return;
    // What a link of a mail gateway leads to stands nowhere in the text: there is nothing to look up under its own spelling.
    if (seen.has(value) || !isSpelling(original, value)) continue;
    seen.add(value);
    const first = text.at === null ? offset : (text.at[offset] ?? raw.length);
    const behind = text.at === null ? offset + original.length : (text.at[offset + original.length] ?? raw.length);
    const spelled = raw.slice(first, behind);
    // Finds come in the order of the text: no byte is counted twice.
    from =
      first >= from.char
        ? { char: first, byte: from.byte + Buffer.byteLength(raw.slice(from.char, first)) }
        : { char: first, byte: start + Buffer.byteLength(raw.slice(0, first)) };
    const close = from.byte + Buffer.byteLength(spelled);
    // As one with escapes: it has no quotes around it that could be copied with it.
    noteValue(map, field | ESCAPED, from.byte, close);
    noteHash(map, hashOf(bytes, from.byte, close));
  }
}

/** The end of what is searched: no character or escape is cut, and no word either where there is a blank. */
function wholeEnd(bytes: Buffer, start: number, end: number): number {
  if (end - start <= MAX_TEXT_BYTES) return end;
  const blank = bytes.lastIndexOf(0x20, start + MAX_TEXT_BYTES);
  return blank > start ? blank : start;
}

function isSpelling(original: string, value: string): boolean {
  const parsed = parseIndicator(original);
  return parsed.kind !== 'invalid' && parsed.indicator.value === value;
}

/** The text of a JSON string, and where each of its code units stands in it. */
function unescaped(raw: string): { readonly plain: string; readonly at: Int32Array } {
  const at = new Int32Array(raw.length + 1);
  let units = 0;
  for (let pos = 0; pos < raw.length; units += 1) {
    at[units] = pos;
    pos += raw[pos] !== '\\' ? 1 : raw[pos + 1] === 'u' ? 6 : 2;
  }
  at[units] = raw.length;
  return { plain: String(JSON.parse(`"${raw}"`)), at };
}
