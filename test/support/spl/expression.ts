import { FUNCTIONS } from './functions.ts';
import { compare, numberOf, type Row, textOf, type Value } from './values.ts';

/** An expression of `eval` or `where`, ready to be computed for a row. */
export type Expression = (row: Row, nowS: number) => Value;

const TOKEN = /\s*("(?:[^"\\]|\\[^])*"|'[^']*'|\d+(?:\.\d+)?|[A-Za-z_][\w{}:]*(?:\.[A-Za-z_][\w{}]*)*|[!<>=]=|[-+*/%.(),<>=]|$)/y;
const LEVELS: readonly (readonly string[])[] = [
  ['OR', 'XOR'],
  ['AND'],
  ['=', '==', '!=', '<', '>', '<=', '>=', 'LIKE', 'IN'],
  ['+', '-', '.'],
  ['*', '/', '%'],
];

/** Reads an expression. Throws for what is no expression, a function or an operator that is not known. */
export function parseExpression(text: string): Expression {
  const parser = new Parser(text);
  const expression = parser.level(0);
  parser.expect('');
  return expression;
}

/** Reads `a=expr, b=expr` as `eval` takes them. */
export function parseAssignments(text: string): readonly (readonly [string, Expression])[] {
  const parser = new Parser(text);
  const found: [string, Expression][] = [];
  do {
    const name = parser.take().replaceAll(/^['"]|['"]$/g, '');
    parser.expect('=');
    found.push([name, parser.level(0)]);
  } while (parser.skip(','));
  parser.expect('');
  return found;
}

class Parser {
  readonly #tokens: string[] = [];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.length) {
      const at = TOKEN.lastIndex;
      const found = TOKEN.exec(text);
      if (!found || (found[1] === '' && text.slice(at).trim() !== '')) throw new Error(`eval: cannot read "${text.slice(at, at + 40)}"`);
      if (found[1]) this.#tokens.push(found[1]);
      else break;
    }
  }

  take(): string {
    return this.#tokens[this.#at++] ?? '';
  }

  skip(token: string): boolean {
    const isThere = this.#tokens[this.#at] === token;
    if (isThere) this.#at++;
    return isThere;
  }

  expect(token: string): void {
    const found = this.take();
    if (found !== token) throw new Error(`eval: "${token || 'the end'}" is missing at "${found}" in: ${this.#text}`);
  }

  level(depth: number): Expression {
    const operators = LEVELS[depth];
    if (operators === undefined) return this.#unary();
    if (depth === 1 && /^NOT$/i.test(this.#tokens[this.#at] ?? '')) return this.#not();
    let left = this.level(depth + 1);
    for (;;) {
      const operator = operators.find((one) => one === (this.#tokens[this.#at] ?? '').toUpperCase());
      if (operator === undefined) return left;
      this.#at++;
      left =
        operator === 'IN' ? this.#inList(left) : binary(operator, left, depth === 1 && this.#isNot() ? this.#not() : this.level(depth + 1));
    }
  }

  #isNot(): boolean {
    return /^NOT$/i.test(this.#tokens[this.#at] ?? '');
  }

  #not(): Expression {
    this.#at++;
    const inner = this.#isNot() ? this.#not() : this.level(2);
    return (row, nowS) => inner(row, nowS) !== true;
  }

  #inList(value: Expression): Expression {
    this.expect('(');
    const list = this.#arguments();
    return (row, nowS) => {
      const wanted = value(row, nowS);
      return wanted === null ? null : list.some((one) => compare(one(row, nowS), wanted) === 0);
    };
  }

  #unary(): Expression {
    const token = this.take();
    if (token === '(') {
      const inner = this.level(0);
      this.expect(')');
      return inner;
    }
    if (token === '-') {
      const inner = this.#unary();
      return (row, nowS) => {
        const number = numberOf(inner(row, nowS));
        return number === null ? null : -number;
      };
    }
    if (token.startsWith('"')) {
      // Only quotes and backslashes are escaped in SPL; what is left belongs to a pattern.
      const text = token.slice(1, -1).replaceAll(/\\(["\\])/g, '$1');
      return () => text;
    }
    if (/^\d/.test(token)) return () => Number(token);
    if (token.startsWith("'")) return (row) => row[token.slice(1, -1)] ?? null;
    if (!/^[A-Za-z_]/.test(token)) throw new Error(`eval: "${token}" is no value in: ${this.#text}`);
    return this.skip('(') ? this.#call(token) : (row) => row[token] ?? null;
  }

  #call(name: string): Expression {
    const call = FUNCTIONS[name.toLowerCase()];
    if (call === undefined) throw new Error(`eval: the function ${name} is not known here`);
    const list = this.#arguments();
    return (row, nowS) =>
      call(
        list.map((one) => one(row, nowS)),
        nowS,
      );
  }

  #arguments(): Expression[] {
    const list: Expression[] = [];
    if (this.skip(')')) return list;
    do list.push(this.level(0));
    while (this.skip(','));
    this.expect(')');
    return list;
  }
}

function binary(operator: string, left: Expression, right: Expression): Expression {
  return (row, nowS) => apply(operator, left(row, nowS), right(row, nowS));
}

function apply(operator: string, left: Value, right: Value): Value {
  if (operator === 'AND') return left === true && right === true;
  if (operator === 'OR') return left === true || right === true;
  // A comparison or a sum with what is not there is not there: `where` drops the row.
  if (left === null || right === null) return null;
  const order = compare(left, right);
  switch (operator) {
    case '=':
    case '==':
      return typeof left === 'object' ? left.some((one) => one === textOf(right)) : order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '>':
      return order > 0;
    case '<=':
      return order <= 0;
    case '>=':
      return order >= 0;
    case '.':
      return textOf(left) + textOf(right);
    default:
      return calculate(operator, left, right);
  }
}

function calculate(operator: string, left: Value, right: Value): Value {
  const [a, b] = [numberOf(left), numberOf(right)];
  if (a === null || b === null) return operator === '+' ? textOf(left) + textOf(right) : null;
  if (operator === '+') return a + b;
  if (operator === '-') return a - b;
  if (operator === '*') return a * b;
  if (operator === '/') return b === 0 ? null : a / b;
  if (operator === '%') return b === 0 ? null : a % b;
  throw new Error(`eval: the operator ${operator} is not known here`);
}
