const LARGEST = 4_294_967_295;
/** `AS400` may be a host's name: four digits and more are a number, fewer only behind `ASN`. */
const AS_NUMBER = /^(?:ASN?|asn?)[ :-]?(\d{4,10}|(?<=[Nn][ :-]?)\d{1,3})$/;
/** Where nothing else can be meant, the letters may be left out. */
const BARE = /^\s*(?:ASN?)?[ :-]?(\d{1,10})\s*$/i;
const COLUMN = /^(?:asn?|as_?number|autonomous_system_number)$/i;

/** The number of an autonomous system as lists write it: `AS64500`, `ASN 64500`, `as64500`; `null`: the text is none. */
export function readAsNumber(text: string): number | null {
  return inRange(AS_NUMBER.exec(text.trim())?.[1]);
}

/** Whether a text is the number of an autonomous system. */
export function isAsNumber(text: string): boolean {
  return readAsNumber(text) !== null;
}

/** A cell, spelled so that it is read as an AS number where its column is named for them: there `64500` and `AS701` are some. */
export function cellOfColumn(column: string, cell: string): string {
  return COLUMN.test(column.trim()) ? spellAsNumber(cell) : cell;
}

/** What is known to be an AS number, in a spelling that is taken for nothing else; other texts as they are. */
export function spellAsNumber(text: string): string {
  const number = inRange(BARE.exec(text)?.[1]);
  return number === null ? text : `ASN${number}`;
}

function inRange(digits: string | undefined): number | null {
  const number = Number(digits ?? 0);
  return number >= 1 && number <= LARGEST ? number : null;
}
