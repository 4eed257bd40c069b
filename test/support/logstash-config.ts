/**
 * Reads Logstash pipeline text as its own compiler does: sections, plugins, hashes, arrays, strings, numbers, barewords, codecs,
 * if / else if / else with comparisons, in, regular expressions and boolean operators, comments. Faults name line and column.
 * Strings are read without escapes, as with `config.support_escapes: false`: the backslash before a quote belongs to it.
 */

export interface Plugin {
  readonly kind: 'plugin';
  readonly name: string;
  readonly attributes: readonly Attribute[];
  readonly line: number;
}

export interface Attribute {
  readonly name: string;
  readonly value: Value;
  readonly line: number;
}

export type Value =
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'bareword'; readonly text: string }
  | { readonly kind: 'array'; readonly items: readonly Value[] }
  | { readonly kind: 'hash'; readonly entries: readonly { readonly key: string; readonly value: Value }[] }
  | { readonly kind: 'codec'; readonly plugin: Plugin };

export interface Branch {
  readonly kind: 'branch';
  /** In order; the `else` has no condition. */
  readonly arms: readonly { readonly condition: Condition | null; readonly body: readonly Statement[] }[];
}

export type Statement = Plugin | Branch;

export type Condition =
  | { readonly kind: 'and' | 'or' | 'xor' | 'nand'; readonly left: Condition; readonly right: Condition }
  | { readonly kind: 'not'; readonly of: Condition }
  | { readonly kind: 'compare'; readonly sign: string; readonly left: Operand; readonly right: Operand }
  | { readonly kind: 'in' | 'not in'; readonly left: Operand; readonly right: Operand }
  | { readonly kind: 'truthy'; readonly of: Operand };

export type Operand =
  | { readonly kind: 'selector'; readonly path: readonly string[] }
  | { readonly kind: 'string' | 'number' | 'regexp'; readonly text: string }
  | { readonly kind: 'array'; readonly items: readonly Value[] };

export interface Section {
  readonly kind: 'input' | 'filter' | 'output';
  readonly body: readonly Statement[];
}

/** What the text is not: a message with line and column. */
export class LogstashSyntaxError extends Error {
  override readonly name = 'LogstashSyntaxError';
}

/** Parses a pipeline. Throws a `LogstashSyntaxError`. */
export function parsePipeline(text: string): Section[] {
  const reader = new Reader(text);
  const sections: Section[] = [];
  for (reader.space(); !reader.isAtEnd(); reader.space()) {
    const kind = reader.match(/input|filter|output/y);
    if (kind === null) throw reader.fault('expected input, filter or output');
    reader.space();
    reader.expect('{');
    sections.push({ kind: kind as Section['kind'], body: readStatements(reader) });
  }
  return sections;
}

class Reader {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  /** White space and comments. */
  space(): void {
    this.match(/(?:\s|#[^\r\n]*)*/y);
  }

  match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) return null;
    this.at = pattern.lastIndex;
    return found[0];
  }

  take(text: string): boolean {
    if (!this.text.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  expect(text: string): void {
    if (!this.take(text)) throw this.fault(`expected ${text}`);
  }

  line(): number {
    return this.text.slice(0, this.at).split('\n').length;
  }

  fault(words: string): LogstashSyntaxError {
    const before = this.text.slice(0, this.at).split('\n');
    return new LogstashSyntaxError(
      `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: ${words}, not ${JSON.stringify(this.text.slice(this.at, this.at + 20))}`,
    );
  }
}

function readStatements(reader: Reader): Statement[] {
  const statements: Statement[] = [];
  for (reader.space(); !reader.take('}'); reader.space()) {
    if (reader.isAtEnd()) throw reader.fault('expected }');
    statements.push(reader.match(/if\b(?!\s*\{)/y) === null ? readPlugin(reader) : readBranch(reader));
  }
  return statements;
}

function readPlugin(reader: Reader): Plugin {
  const line = reader.line();
  const name = readName(reader);
  reader.space();
  reader.expect('{');
  const attributes: Attribute[] = [];
  for (reader.space(); !reader.take('}');) {
    attributes.push(readAttribute(reader));
    const before = reader.at;
    reader.space();
    if (reader.at === before && !reader.text.startsWith('}', reader.at)) throw reader.fault('expected white space or }');
  }
  return { kind: 'plugin', name, attributes, line };
}

function readAttribute(reader: Reader): Attribute {
  const line = reader.line();
  const name = readName(reader);
  reader.space();
  reader.expect('=>');
  reader.space();
  return { name, value: readValue(reader), line };
}

function readName(reader: Reader): string {
  const name = reader.match(/[A-Za-z0-9_-]+/y);
  return name ?? readString(reader) ?? refuse(reader, 'expected a name');
}

function refuse(reader: Reader, words: string): never {
  throw reader.fault(words);
}

/** Text between quotes; inside, only the quote itself can be escaped, and it is always taken for escaped after a backslash. */
function readString(reader: Reader): string | null {
  const found = reader.match(/"(?:\\"|[^"])*"/y) ?? reader.match(/'(?:\\'|[^'])*'/y);
  return found === null ? null : found.slice(1, -1);
}

function readValue(reader: Reader): Value {
  const string = readString(reader);
  if (string !== null) return { kind: 'string', text: string };
  const number = reader.match(/-?\d+(?:\.\d*)?(?![\w-])/y);
  if (number !== null) return { kind: 'number', text: number };
  if (reader.take('[')) return { kind: 'array', items: readItems(reader) };
  if (reader.take('{')) return readHash(reader);
  const word = reader.match(/[A-Za-z_][A-Za-z0-9_]+/y);
  if (word === null) throw reader.fault('expected a value');
  const after = reader.at;
  reader.space();
  if (!reader.text.startsWith('{', reader.at)) {
    reader.at = after;
    return { kind: 'bareword', text: word };
  }
  reader.at = after - word.length;
  return { kind: 'codec', plugin: readPlugin(reader) };
}

function readItems(reader: Reader): Value[] {
  const items: Value[] = [];
  reader.space();
  if (reader.take(']')) return items;
  for (;;) {
    reader.space();
    items.push(readValue(reader));
    reader.space();
    if (reader.take(']')) return items;
    reader.expect(',');
  }
}

function readHash(reader: Reader): Value {
  const entries: { key: string; value: Value }[] = [];
  for (reader.space(); !reader.take('}'); reader.space()) {
    const key = readString(reader) ?? reader.match(/-?\d+(?:\.\d*)?|[A-Za-z_][A-Za-z0-9_]+/y) ?? refuse(reader, 'expected a key');
    reader.space();
    reader.expect('=>');
    reader.space();
    entries.push({ key, value: readValue(reader) });
    if (!/[\s#}]/.test(reader.text[reader.at] ?? '')) throw reader.fault('expected white space between pairs');
  }
  return { kind: 'hash', entries };
}

function readBranch(reader: Reader): Branch {
  const arms: { condition: Condition | null; body: Statement[] }[] = [readArm(reader)];
  for (;;) {
    const before = reader.at;
    reader.space();
    if (reader.match(/else\s+if\b/y) !== null) {
      arms.push(readArm(reader));
    } else if (reader.match(/else\b/y) === null) {
      reader.at = before;
      return { kind: 'branch', arms };
    } else {
      reader.space();
      reader.expect('{');
      arms.push({ condition: null, body: readStatements(reader) });
      return { kind: 'branch', arms };
    }
  }
}

function readArm(reader: Reader): { condition: Condition; body: Statement[] } {
  reader.space();
  const condition = readCondition(reader);
  reader.space();
  reader.expect('{');
  return { condition, body: readStatements(reader) };
}

const BINDING = { or: 1, xor: 1, nand: 2, and: 2 } as const;

/** Operators of one strength from left to right; `and` binds tighter than `or`, as in the compiled Ruby or Java. */
function readCondition(reader: Reader, least = 1): Condition {
  let left = readExpression(reader);
  for (;;) {
    const before = reader.at;
    reader.space();
    const word = reader.match(/(?:and|or|xor|nand)\b/y) as keyof typeof BINDING | null;
    if (word === null || BINDING[word] < least) {
      reader.at = before;
      return left;
    }
    reader.space();
    left = { kind: word, left, right: readCondition(reader, BINDING[word] + 1) };
  }
}

function readExpression(reader: Reader): Condition {
  if (reader.take('(')) {
    const inner = readInner(reader);
    return inner;
  }
  if (reader.take('!')) {
    reader.space();
    if (reader.take('(')) return { kind: 'not', of: readInner(reader) };
    const path = readSelector(reader);
    if (path === null) throw reader.fault('expected ( or a field after !');
    return { kind: 'not', of: { kind: 'truthy', of: { kind: 'selector', path } } };
  }
  const left = readOperand(reader);
  const before = reader.at;
  reader.space();
  const sign = reader.match(/==|!=|<=|>=|<|>|=~|!~/y);
  if (sign !== null) {
    reader.space();
    return { kind: 'compare', sign, left, right: readOperand(reader) };
  }
  if (reader.match(/not\s+in\b/y) !== null) {
    reader.space();
    return { kind: 'not in', left, right: readOperand(reader) };
  }
  if (reader.match(/in\b/y) !== null) {
    reader.space();
    return { kind: 'in', left, right: readOperand(reader) };
  }
  reader.at = before;
  return { kind: 'truthy', of: left };
}

function readInner(reader: Reader): Condition {
  reader.space();
  const inner = readCondition(reader);
  reader.space();
  reader.expect(')');
  return inner;
}

function readOperand(reader: Reader): Operand {
  const string = readString(reader);
  if (string !== null) return { kind: 'string', text: string };
  const number = reader.match(/-?\d+(?:\.\d*)?/y);
  if (number !== null) return { kind: 'number', text: number };
  const regexp = reader.match(/\/(?:\\\/|[^/])+\//y);
  if (regexp !== null) return { kind: 'regexp', text: regexp.slice(1, -1) };
  const path = readSelector(reader);
  if (path !== null) return { kind: 'selector', path };
  if (reader.take('[')) return { kind: 'array', items: readItems(reader) };
  throw reader.fault('expected a field, text, number, list or regular expression');
}

/** `[a][b]`. A list of quoted texts begins alike: it is none. */
function readSelector(reader: Reader): string[] | null {
  const found = reader.match(/(?:\[[^\][,"']+\])+/y);
  return found === null ? null : found.slice(1, -1).split('][');
}
