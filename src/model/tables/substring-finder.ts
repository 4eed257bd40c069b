/** Finds any of many short texts inside a value in one pass over it (Aho and Corasick, 1975). Letters are compared without case. */
export interface SubstringFinder {
  /** The entry number of the first text that ends in the value; -1: none is in it. */
  find(value: string): number;
}

/** Characters that names, URLs and addresses are made of; every other one ends a match. */
const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789.-_@/:?=&%+~#!$'*,;()[]";
const WIDTH = ALPHABET.length + 1;

const CODES = new Uint8Array(128);
for (const [at, letter] of Array.from(ALPHABET).entries()) {
  CODES[letter.charCodeAt(0)] = at + 1;
  CODES[letter.toUpperCase().charCodeAt(0)] = at + 1;
}

/** Builds the finder; texts with other characters, or without any, are refused: their places come back. */
export function buildSubstringFinder(entries: readonly { readonly text: string; readonly entry: number }[]): {
  readonly finder: SubstringFinder;
  readonly refused: readonly number[];
} {
  const room = entries.reduce((sum, { text }) => sum + text.length, 1);
  const next = new Int32Array(room * WIDTH);
  const found = new Int32Array(room).fill(-1);
  const refused: number[] = [];
  let size = 1;
  for (const [place, { text, entry }] of entries.entries()) {
    const codes = Array.from(text, (letter) => CODES[letter.charCodeAt(0)] ?? 0);
    if (codes.length === 0 || codes.includes(0)) {
      refused.push(place);
      continue;
    }
    let state = 0;
    for (const code of codes) {
      const edge = state * WIDTH + code;
      if (next[edge] === 0) next[edge] = size++;
      state = next[edge] ?? 0;
    }
    found[state] = entry;
  }
  linkSuffixes(next, found);
  return { finder: { find: (value) => walk(next, found, value) }, refused };
}

/** Completes every state with where its longest proper suffix goes on, breadth first. */
function linkSuffixes(next: Int32Array, found: Int32Array): void {
  const fallback = new Int32Array(found.length);
  const queue: number[] = [];
  for (let code = 1; code < WIDTH; code += 1) if (next[code]) queue.push(next[code] ?? 0);
  for (let head = 0; head < queue.length; head += 1) {
    const state = queue[head] ?? 0;
    const shorter = fallback[state] ?? 0;
    if (found[state] === -1) found[state] = found[shorter] ?? -1;
    for (let code = 1; code < WIDTH; code += 1) {
      const edge = state * WIDTH + code;
      const beyond = next[shorter * WIDTH + code] ?? 0;
      if (next[edge] === 0) next[edge] = beyond;
      else {
        fallback[next[edge] ?? 0] = beyond;
        queue.push(next[edge] ?? 0);
      }
    }
  }
}

function walk(next: Int32Array, found: Int32Array, value: string): number {
  let state = 0;
  for (let at = 0; at < value.length; at += 1) {
    const code = CODES[value.charCodeAt(at)] ?? 0;
    state = code === 0 ? 0 : (next[state * WIDTH + code] ?? 0);
    const entry = found[state] ?? -1;
    if (entry !== -1) return entry;
  }
  return -1;
}
