import { basename } from 'node:path';
import { parseConf } from '../../src/splunkd/conf-file.ts';

/** Conf name → form of a stanza → its settings with the form of their values. */
export type SpecKeys = Readonly<Record<string, Readonly<Record<string, readonly (readonly [string, string])[]>>>>;

/** A conf file as it is shipped. */
export interface ShippedConf {
  readonly path: string;
  readonly text: string;
}

// Settings that hold in every stanza of every conf file (default.meta, btool) or of a kind of file.
const EVERYWHERE = new Set(['disabled']);

/** What is wrong in a conf file by the specs of Splunk and of the app, `file [stanza] key: fault`. */
export function confFaults(file: ShippedConf, specs: SpecKeys): string[] {
  const conf = basename(file.path).replace(/\.(conf|meta)$/, (end) => (end === '.meta' ? '.meta' : ''));
  const spec = specs[conf];
  if (spec === undefined) return [`${file.path}: no spec names this file`];
  const syntax = syntaxFaults(file);
  const found = Object.entries(parseConf(file.text)).flatMap(([stanza, keys]) => {
    const forms = Object.entries(spec).filter(([form]) => stanzaMatches(form, stanza));
    if (forms.length === 0) return [`${file.path} [${stanza}]: no spec has such a stanza`];
    const settings = [...forms.flatMap(([, known]) => known), ...freeKeys(conf, stanza)];
    return Object.entries(keys).flatMap(([key, value]) => {
      const matching = settings.filter(([form]) => keyMatches(form, key));
      if (matching.length === 0 && !EVERYWHERE.has(key)) return [`${file.path} [${stanza}] ${key}: no spec names this setting`];
      const fits = matching.length === 0 || matching.some(([, form]) => valueFits(form, value));
      return fits ? [] : [`${file.path} [${stanza}] ${key}: "${value.slice(0, 40)}" is no ${matching[0]?.[1]}`];
    });
  });
  return [...syntax, ...found];
}

/** Settings of a spec of the app: `[stanza]`, `key = form`. */
export function parseSpec(text: string): Record<string, [string, string][]> {
  return Object.fromEntries(
    Object.entries(parseConf(text.replaceAll(/^\*.*$/gm, ''))).map(([stanza, keys]) => [stanza, Object.entries(keys)]),
  );
}

/** Lines that Splunk would silently drop, and stanzas or keys given twice. */
function syntaxFaults({ path, text }: ShippedConf): string[] {
  const seen = new Set<string>();
  let stanza = '';
  let isContinued = false;
  return text.split('\n').flatMap((line, n) => {
    const wasContinued = isContinued;
    isContinued = line.endsWith('\\');
    if (wasContinued || /^\s*(#|$)/.test(line)) return [];
    const named = /^\[(.*)\]$/.exec(line);
    const key = /^([^\s=][^=]*?)\s*=/.exec(line)?.[1];
    if (!named && key === undefined) return [`${path}:${n + 1}: neither a stanza nor a setting`];
    if (named) stanza = named[1] ?? '';
    const name = named ? `[${stanza}]` : `[${stanza}] ${key}`;
    if (seen.has(name)) return [`${path}:${n + 1}: ${name} is there twice`];
    seen.add(name);
    return [];
  });
}

/** Settings whose names are the author's: capabilities of a role, parameters of an alert action, entries of a list. */
function freeKeys(conf: string, stanza: string): (readonly [string, string])[] {
  if (conf === 'authorize' && stanza.startsWith('role_')) return [['<capability>', 'enabled | disabled']];
  if (conf === 'tags') return [['<tag>', 'enabled | disabled']];
  if (conf === 'distsearch') return [['<name>', '<string>']];
  if (conf === 'default.meta')
    return [
      ['export', 'none | system'],
      ['access', '<string>'],
    ];
  if (conf === 'server' && stanza === 'shclustering') return [['conf_replication_include.<conf>', '<boolean>']];
  return [];
}

function stanzaMatches(form: string, stanza: string): boolean {
  if (form === '') return true;
  return form === stanza || patternOf(form).test(stanza);
}

function keyMatches(form: string, key: string): boolean {
  return form === key || patternOf(form).test(key);
}

function patternOf(form: string): RegExp {
  const parts = form.split(/<[^>]*>/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.+')}$`);
}

const BOOLEAN = /^(0|1|true|false|t|f|yes|no|enabled|disabled)$/i;

/** Whether a value has its form, as far as a form says something that can be checked. */
function valueFits(form: string, value: string): boolean {
  if (/^<?(boolean|bool)>?$/i.test(form)) return BOOLEAN.test(value);
  if (/^<(positive |non-?negative |zero or positive )?(integer|number|int|unsigned integer)>$/i.test(form))
    return /^-?\d+(\.\d+)?$/.test(value);
  if (/^<json>$/i.test(form)) return isJson(value);
  const words = form.replace(/^[[{]\s*|\s*[\]}]$/g, '').split(/\s*\|\s*/);
  if (words.length > 1 && words.every((word) => /^[\w.-]+$/.test(word))) return words.includes(value);
  return true;
}

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}
