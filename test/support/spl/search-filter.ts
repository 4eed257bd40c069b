import { compare, numberOf, type Row, valuesOf, wildcard } from './values.ts';

/** Whether a row fits a `search` expression. */
export type Filter = (row: Row) => boolean;

const TOKEN = /\s*("(?:[^"\\]|\\[^])*"|[()]|!=|<=|>=|[=<>,]|[^\s()=<>!,"]+|$)/y;

/**
 * Reads what stands behind `search` or begins a search: comparisons, `IN`, words, `NOT`, `OR`, `AND` or nothing between them.
 * `OR` binds more tightly than `AND` here, unlike in `where` (Splunk, "search command usage").
 */
export function parseFilter(text: string): Filter {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const [, token] = TOKEN.exec(text) ?? [];
    if (!token) break;
    tokens.push(token);
  }
  const reader = new FilterReader(tokens);
  const filter = reader.all();
  if (!reader.isAtEnd) throw new Error(`search: cannot read ${text}`);
  return filter;
}

class FilterReader {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#tokens.length;
  }

  all(): Filter {
    const parts: Filter[] = [];
    while (!this.isAtEnd && this.#peek() !== ')') {
      if (this.#peek() === 'AND') this.#at++;
      else parts.push(this.#any());
    }
    return (row) => parts.every((part) => part(row));
  }

  #any(): Filter {
    const parts = [this.#one()];
    while (this.#peek() === 'OR') {
      this.#at++;
      parts.push(this.#one());
    }
    return (row) => parts.some((part) => part(row));
  }

  #one(): Filter {
    const token = this.#next();
    if (token === 'NOT') {
      const inner = this.#one();
      return (row) => !inner(row);
    }
    if (token === '(') {
      const inner = this.all();
      if (this.#next() !== ')') throw new Error('search: a parenthesis is not closed');
      return inner;
    }
    const field = plain(token);
    const operator = this.#peek() ?? '';
    if (operator.toUpperCase() === 'IN') return this.#inList(field);
    if (!/^(?:[=<>]|!=|<=|>=)$/.test(operator)) return wordFilter(field);
    this.#at++;
    return comparison(field, operator, plain(this.#next()));
  }

  #inList(field: string): Filter {
    this.#at++;
    if (this.#next() !== '(') throw new Error('search: IN wants a list in parentheses');
    const patterns: RegExp[] = [];
    for (let token = this.#next(); token !== ')'; token = this.#next()) if (token !== ',') patterns.push(wildcard(plain(token), 'i'));
    return (row) => valuesOf(row[field]).some((value) => patterns.some((pattern) => pattern.test(value)));
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at];
  }

  #next(): string {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new Error('search: the end comes too early');
    return token;
  }
}

function plain(token: string): string {
  return token.startsWith('"') ? token.slice(1, -1).replaceAll(/\\(["\\])/g, '$1') : token;
}

function wordFilter(word: string): Filter {
  return (row) => word === '*' || valuesOf(row['_raw']).some((text) => text.toLowerCase().includes(word.toLowerCase()));
}

function comparison(field: string, operator: string, wanted: string): Filter {
  const pattern = wildcard(wanted, 'i');
  const equals = (value: string) => pattern.test(value) || (numberOf(value) !== null && numberOf(value) === numberOf(wanted));
  if (operator === '=') return (row) => valuesOf(row[field]).some(equals);
  // An event without the field is not among those whose field differs.
  if (operator === '!=') return (row) => valuesOf(row[field]).length > 0 && !valuesOf(row[field]).some(equals);
  const sign = operator.startsWith('<') ? -1 : 1;
  return (row) =>
    valuesOf(row[field]).some((value) => sign * compare(value, wanted) > 0 || (operator.length === 2 && compare(value, wanted) === 0));
}
