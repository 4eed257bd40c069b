import { wordTable } from '../word-table.ts';

/** Named references that matter inside of indicators and around them. */
const NAMED = wordTable<string>({
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  period: '.',
  commat: '@',
  colon: ':',
  sol: '/',
  shy: '',
  zwnj: '',
});

/** Longest style sheet that is blanked, in characters: what is longer stays. */
const MAX_BLOCK = 262_144;

/** HTML as text to find indicators in: `blankMarkup`, with character references decoded. Places in it are not those of the HTML. */
export function htmlToText(html: string): string {
  return decodeReferences(blankMarkup(html));
}

/**
 * HTML with blanks for what names no host of anybody: style sheets but their `url(…)`, document types, name spaces. Tags with their
 * attributes stay (`href`, `src`), and every character stays at its place.
 */
export function blankMarkup(html: string): string {
  return blankStyles(html)
    .replace(/<!doctype[^>]{0,400}>/gi, blanks)
    .replace(/\sxmlns(?::\w{1,20})?\s{0,4}=\s{0,4}(?:"[^"]{0,200}"|'[^']{0,200}')/gi, blanks);
}

function blankStyles(html: string): string {
  let text = '';
  let from = 0;
  const opening = /<style\b/gi;
  for (let match = opening.exec(html); match !== null; match = opening.exec(html)) {
    const length = html.slice(match.index, match.index + MAX_BLOCK).search(/<\/style\s*>/i);
    if (length < 0) break;
    const end = match.index + length;
    text += html.slice(from, match.index) + blankAllBut(html.slice(match.index, end), /url\([^)]{1,2000}\)/gi);
    from = end;
    opening.lastIndex = end;
  }
  return text + html.slice(from);
}

function blankAllBut(text: string, kept: RegExp): string {
  let blanked = '';
  let from = 0;
  for (const match of text.matchAll(kept)) {
    blanked += blanks(text.slice(from, match.index)) + match[0];
    from = match.index + match[0].length;
  }
  return blanked + blanks(text.slice(from));
}

function blanks(text: string): string {
  return ' '.repeat(text.length);
}

function decodeReferences(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{2,7}));/gi, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return NAMED.get(name.toLowerCase()) ?? whole;
    const code = hex === undefined ? Number(decimal) : parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
