/** `file:hashes.'SHA-256' = 'aa'`. */
export interface Comparison {
  readonly kind: 'comparison';
  /** Without the quotes around its parts: `file:hashes.SHA-256`. */
  readonly path: string;
  /** In capitals; `==` and `=` are one. */
  readonly operator: string;
  readonly isNegated: boolean;
  /** The texts it is compared with; numbers, times and binary values are none. */
  readonly texts: readonly string[];
  /** The numbers it is compared with, as they are written. */
  readonly numbers: readonly string[];
}

/** Parts that are joined: comparisons inside one observation, or whole observations. */
export interface Joint {
  readonly kind: 'joint';
  readonly of: 'comparisons' | 'observations';
  readonly by: 'AND' | 'OR' | 'FOLLOWEDBY';
  readonly isNegated: boolean;
  readonly parts: readonly PatternNode[];
}

/** A pattern, taken apart. */
export type PatternNode = Comparison | Joint;

/** Longest pattern that is read. */
const MAX_CHARACTERS = 1 << 20;
/** Brackets that may be open at once. */
const MAX_DEPTH = 64;

const QUOTED = String.raw`'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*"`;
const GAP = String.raw`\s+|/\*[^]*?\*/|//[^\n]*`;
const PATH = String.raw`[a-z_][\w-]*:(?:[a-z_][\w-]*|${QUOTED})(?:\.(?:[\w-]+|${QUOTED})|\[(?:\*|\d+|${QUOTED})\])*`;
const TOKEN = new RegExp(
  String.raw`(?:${GAP})|(?<path>${PATH})|(?<text>[tbh]?(?:${QUOTED}))|(?<word>[a-z]\w*)|(?<sign>[-+]?\d+(?:\.\d+)?|==|!=|<>|<=|>=|[=<>()[\],])`,
  'giys',
);

/** What something is compared with; both `null`: a time, a binary value, true or false. */
interface Literal {
  readonly text: string | null;
  readonly number: string | null;
}

type Kind = 'path' | 'text' | 'word' | 'sign' | 'end';
interface Token {
  readonly kind: Kind;
  readonly text: string;
}
const END: Token = { kind: 'end', text: 'its end' };

class PatternFault extends Error {}

/** Reads a pattern by the grammar of STIX 2.1 (§9), with the spellings of older versions; or tells why it cannot. */
export function parsePattern(pattern: string): PatternNode | { readonly reason: string } {
  if (pattern.length > MAX_CHARACTERS) return { reason: `pattern is longer than ${MAX_CHARACTERS} characters` };
  if (pattern.trim() === '') return { reason: 'empty pattern' };
  try {
    return new PatternReader(tokensOf(pattern)).whole();
  } catch (error) {
    if (error instanceof PatternFault) return { reason: error.message };
    throw error;
  }
}

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < pattern.length) {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(pattern)?.groups;
    if (groups === undefined) throw unreadable(pattern.slice(at, at + 60));
    for (const kind of ['path', 'text', 'word', 'sign'] as const) {
      const text = groups[kind];
      if (text !== undefined) tokens.push({ kind, text: kind === 'word' ? text.toUpperCase() : text });
    }
  }
  return tokens;
}

/** Goes through the tokens once. FOLLOWEDBY binds least, then OR, then AND. */
class PatternReader {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): PatternNode {
    const node = this.#observations();
    if (this.#here.kind !== 'end') throw unreadable(this.#here.text);
    return node;
  }

  get #here(): Token {
    return this.#tokens[this.#at] ?? END;
  }

  #takes(text: string): boolean {
    const { kind } = this.#here;
    if ((kind !== 'word' && kind !== 'sign') || this.#here.text !== text) return false;
    this.#at += 1;
    return true;
  }

  #needs(text: string): void {
    if (!this.#takes(text)) throw unreadable(this.#here.text);
  }

  /** What stands in brackets that are open already. */
  #within(read: () => PatternNode, close: string): PatternNode {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new PatternFault(`pattern has more than ${MAX_DEPTH} brackets open at once`);
    const node = read();
    this.#needs(close);
    this.#depth -= 1;
    return node;
  }

  #joined(of: Joint['of'], by: Joint['by'], read: () => PatternNode): PatternNode {
    const first = read();
    const parts = [first];
    while (this.#takes(by)) parts.push(read());
    return parts.length === 1 ? first : { kind: 'joint', of, by, isNegated: false, parts };
  }

  #observations(): PatternNode {
    return this.#joined('observations', 'FOLLOWEDBY', () =>
      this.#joined('observations', 'OR', () => this.#joined('observations', 'AND', () => this.#observation())),
    );
  }

  #observation(): PatternNode {
    let node: PatternNode;
    if (this.#takes('[')) node = this.#within(() => this.#comparisons(), ']');
    else if (this.#takes('(')) node = this.#within(() => this.#observations(), ')');
    else throw unreadable(this.#here.text);
    while (this.#qualifier());
    return node;
  }

  /** When and how often it has to be seen: that makes no other indicator of it. */
  #qualifier(): boolean {
    if (this.#takes('START')) {
      this.#literal();
      this.#needs('STOP');
      this.#literal();
    } else if (this.#takes('WITHIN')) {
      this.#literal();
      this.#needs('SECONDS');
    } else if (this.#takes('REPEATS')) {
      this.#literal();
      this.#needs('TIMES');
    } else return false;
    return true;
  }

  #comparisons(): PatternNode {
    return this.#joined('comparisons', 'OR', () => this.#joined('comparisons', 'AND', () => this.#comparison()));
  }

  #comparison(): PatternNode {
    let isNegated = false;
    while (this.#takes('NOT')) isNegated = !isNegated;
    if (this.#takes('(')) {
      const node = this.#within(() => this.#comparisons(), ')');
      return isNegated ? { ...node, isNegated: !node.isNegated } : node;
    }
    if (this.#takes('EXISTS')) return { kind: 'comparison', path: this.#path(), operator: 'EXISTS', isNegated, texts: [], numbers: [] };
    const path = this.#path();
    while (this.#takes('NOT')) isNegated = !isNegated;
    const sign = this.#operator();
    const isUnequal = sign === '!=' || sign === '<>';
    const operator = isUnequal || sign === '==' ? '=' : sign;
    const literals = sign === 'IN' ? this.#set() : [this.#literal()];
    const texts = literals.flatMap(({ text }) => text ?? []);
    const numbers = literals.flatMap(({ number }) => number ?? []);
    return { kind: 'comparison', path, operator, isNegated: isNegated !== isUnequal, texts, numbers };
  }

  #path(): string {
    const { kind, text } = this.#here;
    if (kind !== 'path') throw unreadable(text);
    this.#at += 1;
    return text.replaceAll(new RegExp(QUOTED, 'gs'), unquoted);
  }

  #operator(): string {
    const { text } = this.#here;
    if (!/^(?:==?|!=|<>|[<>]=?|IN|LIKE|MATCHES|ISSUBSET|ISSUPERSET)$/.test(text)) throw unreadable(text);
    this.#at += 1;
    return text;
  }

  #set(): Literal[] {
    this.#needs('(');
    const literals: Literal[] = [];
    while (!this.#takes(')')) {
      literals.push(this.#literal());
      if (!this.#takes(',') && this.#here.text !== ')') throw unreadable(this.#here.text);
    }
    return literals;
  }

  #literal(): Literal {
    const { kind, text } = this.#here;
    const isLiteral = kind === 'text' || /^[-+]?\d/.test(text) || /^(?:TRUE|FALSE)$/.test(text);
    if (!isLiteral) throw unreadable(text);
    this.#at += 1;
    const isText = kind === 'text' && /^['"]/.test(text);
    return { text: isText ? unquoted(text) : null, number: kind === 'sign' ? text : null };
  }
}

function unquoted(text: string): string {
  return text.slice(1, -1).replaceAll(/\\(.)/gs, '$1');
}

function unreadable(text: string): PatternFault {
  return new PatternFault(`not a pattern we can read, at ${text.slice(0, 60)}`);
}
