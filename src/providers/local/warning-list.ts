import * as z from 'zod/mini';
import { INDICATOR_TYPES, type IndicatorType } from '../../model/indicator.ts';
import { wordTable } from '../../model/tables/word-table.ts';

const MAX_REGEX_CHARS = 300;

/** The format of MISP warning lists: github.com/MISP/misp-warninglists, `schema.json`. */
const File = z.object({
  name: z.string(),
  type: z.enum(['cidr', 'hostname', 'string', 'substring', 'regex']),
  list: z.array(z.string()),
  matching_attributes: z.nullish(z.array(z.string())),
  category: z.nullish(z.string()),
});

/** Our types by the attribute types of MISP. */
const TYPES = wordTable<readonly IndicatorType[]>({
  'ip-src': ['ipv4-addr', 'ipv6-addr'],
  'ip-dst': ['ipv4-addr', 'ipv6-addr'],
  domain: ['domain-name'],
  hostname: ['domain-name'],
  url: ['url'],
  uri: ['url'],
  link: ['url'],
  md5: ['file:md5'],
  sha1: ['file:sha1'],
  sha256: ['file:sha256'],
  sha512: ['file:sha512'],
  'email-src': ['email-addr'],
  'email-dst': ['email-addr'],
  email: ['email-addr'],
  vulnerability: ['cve'],
});

/** A list of values that are well known, and most often not what an alert is about. */
export interface WarningList {
  readonly name: string;
  /** The attribute its members get: `warning-list:` and the name. */
  readonly attribute: string;
  /** Whether it says of itself that its members are false positives. */
  readonly isFalsePositive: boolean;
  readonly types: ReadonlySet<IndicatorType>;
  /** Patterns of a prefix tree: networks, names with everything below, single values. */
  readonly patterns: readonly string[];
  readonly substrings: readonly string[];
  readonly expressions: readonly RegExp[];
  /** Entries that cannot be used, for people. */
  readonly faults: readonly string[];
}

/** Reads a warning list in MISP's format; `null`: it is none. */
export function parseWarningList(text: string): WarningList | null {
  const parsed = File.safeParse(parseJson(text));
  if (!parsed.success) return null;
  const { name, type, list, matching_attributes: attributes, category } = parsed.data;
  const faults: string[] = [];
  const expressions = type === 'regex' ? list.flatMap((entry) => expressionOf(entry, faults)) : [];
  return {
    name,
    attribute: `warning-list:${slugOf(name)}`,
    isFalsePositive: /^false[ _-]positive$/i.test(category ?? ''),
    types: new Set(attributes ? attributes.flatMap((one) => TYPES.get(one) ?? []) : INDICATOR_TYPES),
    patterns: type === 'substring' || type === 'regex' ? [] : list.map((entry) => patternOf(type, entry)),
    substrings: type === 'substring' ? list : [],
    expressions,
    faults,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function slugOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/^list of (known )?/, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 50);
}

/** `hostname` entries, and names that begin with a dot, stand for everything below them; others for themselves. */
function patternOf(type: 'cidr' | 'hostname' | 'string', entry: string): string {
  if (type === 'cidr' || type === 'hostname' || entry.startsWith('.')) return entry;
  return /^[a-z0-9_-]+(\.[a-z0-9_-]+)+\.?$/i.test(entry) && !/^[\d.]+$/.test(entry) ? `=${entry}` : entry;
}

/** An expression that takes linear time, as far as can be seen: short, no repetition of a repetition, no back reference. */
function expressionOf(entry: string, faults: string[]): RegExp[] {
  const [, body = entry, flags = ''] = /^\/(.*)\/([a-z]*)$/s.exec(entry) ?? [];
  if (body.length > MAX_REGEX_CHARS || /\([^()]*[+*}][^()]*\)[+*{]|\\[1-9]|\(\?[=!<]/.test(body)) {
    faults.push(`${entry.slice(0, 60)}: is not used, it could take very long`);
    return [];
  }
  try {
    return [new RegExp(body, flags.includes('i') ? 'i' : '')];
  } catch (error) {
    faults.push(`${entry.slice(0, 60)}: ${(error as Error).message}`);
    return [];
  }
}
