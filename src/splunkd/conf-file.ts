import { emptyRecord } from '../model/tables/word-table.ts';

/** Stanza → key → text, as a Splunk conf file holds them. */
export type ConfStanzas = Record<string, Record<string, string>>;

/** Where keys before the first stanza belong; its keys hold for every stanza that does not set them. */
export const DEFAULT_STANZA = 'default';

/**
 * Reads the text of a conf file: `[stanza]`, `key = value`, comments from a `#` at the start of a line, a backslash at the end of a line
 * carries a value on. A later line wins. What is neither is left out, as Splunk does.
 */
export function parseConf(text: string): ConfStanzas {
  const stanzas = emptyRecord<Record<string, string>>();
  let stanza = DEFAULT_STANZA;
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (let n = 0; n < lines.length; n++) {
    let line = lines[n] ?? '';
    if (/^\s*(#|$)/.test(line)) continue;
    const named = /^\s*\[(.*)\]\s*$/.exec(line);
    if (named) {
      stanza = named[1] ?? '';
      stanzas[stanza] ??= emptyRecord();
      continue;
    }
    while (line.endsWith('\\') && n + 1 < lines.length) line = `${line.slice(0, -1)}\n${lines[++n] ?? ''}`;
    const [, key, value] = /^\s*([^=]+?)\s*=\s*([^]*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) (stanzas[stanza] ??= emptyRecord())[key] = value;
  }
  return stanzas;
}

/** Lays conf files over each other, later ones on top, key by key; then the default stanza below every other. */
export function layerConf(layers: readonly ConfStanzas[]): ConfStanzas {
  const merged = emptyRecord<Record<string, string>>();
  for (const layer of layers) for (const [stanza, keys] of Object.entries(layer)) merged[stanza] = { ...merged[stanza], ...keys };
  const { [DEFAULT_STANZA]: defaults = {}, ...stanzas } = merged;
  return Object.fromEntries(Object.entries(stanzas).map(([stanza, keys]) => [stanza, ownKeys({ ...defaults, ...keys })]));
}

/** The same keys, inheriting nothing: a setting that is not set must not be found in `Object.prototype`. */
function ownKeys(keys: Readonly<Record<string, string>>): Record<string, string> {
  return Object.assign(emptyRecord<string>(), keys);
}
