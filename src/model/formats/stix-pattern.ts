import { isAsNumber, spellAsNumber } from '../parsing/as-number.ts';
import { type Comparison, parsePattern, type PatternNode } from './stix-pattern-syntax.ts';

/** Object paths whose value is an indicator (STIX 2.1 §6); `hostname` is OpenCTI's own, `http-request-ext` a request's `Host`. */
const PATHS =
  /^(?:(?:ipv4-addr|ipv6-addr|domain-name|hostname|x-opencti-hostname|url|email-addr):value|network-traffic:(?:dst|src)_ref\.value|network-traffic:extensions\.http-request-ext\.request_header\.host|email-message:(?:(?:from|sender)_ref|(?:to|cc|bcc)_refs\[(?:\*|\d+)\])\.value|email-message:additional_header_fields\.reply[-_]to)$/i;
const HASH_PATH = /^(?:file|artifact|process:(?:image|binary)_ref)[:.]hashes[.[](?:MD5|SHA-?1|SHA-?256|SHA-?512)\]?$/i;
/** Values that may be a network (`198.51.100.0/24`) as well as an address. */
const ADDRESS_PATH = /^(?:ipv[46]-addr:value|network-traffic:(?:dst|src)_ref\.value)$/i;
const AS_NUMBER_PATH = /^autonomous-system:number$/i;
/** Objects that are named by their value or hash: whatever else is said of them makes no other indicator. */
const NAMED_ALONE = /^(?:file|artifact|ipv4-addr|ipv6-addr|domain-name|hostname|x-opencti-hostname|url|email-addr|autonomous-system):/i;
/** What is said of the connection to an address or host, or of the type of what is named. */
const CONNECTION =
  /^network-traffic:(?:(?:src|dst)_port|protocols\b|start$|end$|is_active$|src_byte|dst_byte|src_packets|dst_packets)|_refs?(?:\[[^\]]*\])?\.type$/i;

/**
 * What a pattern amounts to: values that each are an indicator of their own, and what of it names none; or why there is nothing to take.
 */
export type PatternValues = { readonly values: readonly string[]; readonly left: readonly string[] } | { readonly reason: string };

/** A part of a pattern. */
interface Meaning {
  readonly values: readonly string[];
  /** Paths the values stand at. */
  readonly named: ReadonlySet<string>;
  /** Paths that name nothing here. */
  readonly others: readonly string[];
  /** Why they do not. */
  readonly left: readonly string[];
}

/**
 * The values of a STIX pattern: each alternative that names an indicator counts, with what is said besides of the same object (name and hash of a
 * file, address and port). What wants several things at once, is negated or compares with no value, names none and is told in `left`.
 */
export function readPattern(pattern: string): PatternValues {
  const parsed = parsePattern(pattern);
  if ('reason' in parsed) return parsed;
  const { values, left } = meaningOf(parsed, false);
  if (values.length > 0) return { values: [...new Set(values)], left };
  return { reason: left.length > 1 ? `${left[0]}, and ${left.length - 1} more` : (left[0] ?? 'empty pattern') };
}

function meaningOf(node: PatternNode, isNegated: boolean): Meaning {
  const isNot = node.isNegated !== isNegated;
  if (node.kind === 'comparison') return meaningOfComparison(node, isNot);
  const parts = node.parts.map((part) => meaningOf(part, isNot));
  // "Not (a or b)" is "neither a nor b".
  const isEither = (node.by === 'OR') !== isNot;
  if (isEither) return joined(parts);
  if (node.of === 'observations') return nothing(parts, `pattern relates several observations (${node.by}): no single indicator`);
  return meaningOfAll(parts);
}

function meaningOfComparison({ path, operator, texts, numbers }: Comparison, isNegated: boolean): Meaning {
  const none = (reason: string): Meaning => ({ values: [], named: new Set(), others: [path], left: [reason] });
  const isOfSystem = AS_NUMBER_PATH.test(path);
  if (!PATHS.test(path) && !HASH_PATH.test(path) && !isOfSystem) return none(`${shown(path)} names no indicator`);
  if (isNegated) return none(`${shown(path)} is negated: it names no indicator`);
  const isEqual =
    operator === '=' ||
    operator === 'IN' ||
    (operator === 'LIKE' && !texts.some((text) => /[%_]/.test(text))) ||
    (operator === 'ISSUBSET' && ADDRESS_PATH.test(path));
  if (!isEqual) return none(`comparison ${operator} of ${shown(path)} is more than a list of values`);
  const values = isOfSystem ? [...numbers, ...texts].map(spellAsNumber).filter(isAsNumber) : texts;
  if (values.length === 0) return none(`${shown(path)} is compared with no ${isOfSystem ? 'AS number' : 'text'}`);
  return { values, named: new Set([path]), others: [], left: [] };
}

/** All parts at once: one of them names the indicator, the rest only tells more of it; or each is a hash of the same file. */
function meaningOfAll(parts: readonly Meaning[]): Meaning {
  const naming = parts.filter(({ values }) => values.length > 0);
  const [first] = naming;
  if (first === undefined) return joined(parts);
  const named = naming.flatMap((part) => [...part.named]);
  const stranger = parts
    .filter(({ values }) => values.length === 0)
    .flatMap(({ others }) => others)
    .find((path) => !named.every((name) => tellsMoreOf(name, path)));
  if (stranger !== undefined) return nothing(parts, severalThings(stranger));
  const areHashes = named.every((path) => HASH_PATH.test(path) && objectOf(path) === objectOf(named[0] ?? ''));
  const isOne = naming.every(({ values }) => isSame(values, first.values));
  if (!areHashes && !isOne) return nothing(parts, severalThings(named.at(-1) ?? ''));
  return { ...joined(isOne ? [first] : naming), others: parts.flatMap(({ others }) => others) };
}

/** Whether the comparison at `path` only says more of what stands at `name`. */
function tellsMoreOf(name: string, path: string): boolean {
  if (NAMED_ALONE.test(name) && objectOf(name) === objectOf(path)) return true;
  return CONNECTION.test(path) && !HASH_PATH.test(name);
}

function joined(parts: readonly Meaning[]): Meaning {
  return {
    values: parts.flatMap(({ values }) => values),
    named: new Set(parts.flatMap(({ named }) => [...named])),
    others: parts.flatMap(({ others }) => others),
    left: parts.flatMap(({ left }) => left),
  };
}

function nothing(parts: readonly Meaning[], reason: string): Meaning {
  return { values: [], named: new Set(), others: parts.flatMap(({ named, others }) => [...named, ...others]), left: [reason] };
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((value, at) => value === others[at]);
}

function objectOf(path: string): string {
  return path.slice(0, path.indexOf(':')).toLowerCase();
}

function severalThings(path: string): string {
  return `pattern wants several things at once (${shown(path)}): no single indicator`;
}

function shown(path: string): string {
  return path.slice(0, 60);
}
