/** Reads the part of KQL that our rules, panels and cookbook use, and says it in the query DSL, so that a real engine can be asked. */

type Dsl = Record<string, unknown>;

/** The query DSL of a KQL text. Throws where Kibana would complain. */
export function kqlToDsl(text: string): Dsl {
  const tokens = tokenise(text);
  if (tokens.length === 0) return { match_all: {} };
  const reader = { tokens, at: 0 };
  const query = readOr(reader);
  if (reader.at < tokens.length) throw new Error(`KQL: unexpected ${tokens[reader.at]} in ${text}`);
  return query;
}

interface Reader {
  readonly tokens: readonly string[];
  at: number;
}

function tokenise(text: string): string[] {
  const tokens: string[] = [];
  const pattern = /\s*(?:("(?:[^"\\]|\\.)*")|([(){}]|>=|<=|>|<|:)|([^\s"(){}:<>]+))/gy;
  let end = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    tokens.push(match[1] ?? match[2] ?? match[3] ?? '');
    end = pattern.lastIndex;
  }
  if (text.slice(end).trim() !== '') throw new Error(`KQL: cannot read ${text.slice(end)}`);
  return tokens;
}

function readOr(reader: Reader): Dsl {
  const parts = [readAnd(reader)];
  while (take(reader, 'or')) parts.push(readAnd(reader));
  return parts.length === 1 ? parts[0]! : { bool: { should: parts, minimum_should_match: 1 } };
}

function readAnd(reader: Reader): Dsl {
  const parts = [readNot(reader)];
  while (take(reader, 'and')) parts.push(readNot(reader));
  return parts.length === 1 ? parts[0]! : { bool: { filter: parts } };
}

function readNot(reader: Reader): Dsl {
  if (take(reader, 'not')) return { bool: { must_not: [readNot(reader)] } };
  if (take(reader, '(')) {
    const inner = readOr(reader);
    expect(reader, ')');
    return inner;
  }
  return readClause(reader);
}

function readClause(reader: Reader): Dsl {
  const field = next(reader);
  if (/^["(:]/.test(field)) throw new Error(`KQL: a field was expected, not ${field}`);
  const sign = next(reader);
  const comparison = { '>=': 'gte', '>': 'gt', '<=': 'lte', '<': 'lt' }[sign];
  if (comparison) return { range: { [field]: { [comparison]: plain(next(reader)) } } };
  if (sign !== ':') throw new Error(`KQL: ":" was expected after ${field}, not ${sign}`);
  // `path : { … }` asks one nested entry.
  if (take(reader, '{')) {
    const inner = readOr(reader);
    expect(reader, '}');
    return { nested: { path: field, query: prefixFields(inner, field) } };
  }
  if (!take(reader, '(')) return valueOf(field, next(reader));
  const values = [valueOf(field, next(reader))];
  while (take(reader, 'or')) values.push(valueOf(field, next(reader)));
  expect(reader, ')');
  return { bool: { should: values, minimum_should_match: 1 } };
}

function valueOf(field: string, token: string): Dsl {
  const isQuoted = token.startsWith('"');
  const value = plain(token);
  if (field.includes('*')) return { query_string: { fields: [field], query: isQuoted ? token : value } };
  if (!isQuoted && value === '*') return { exists: { field } };
  return !isQuoted && value.includes('*') ? { wildcard: { [field]: value } } : { term: { [field]: value } };
}

function prefixFields(query: unknown, path: string): Dsl {
  const clauses = new Set(['term', 'wildcard', 'range']);
  if (Array.isArray(query)) return query.map((one) => prefixFields(one, path)) as unknown as Dsl;
  if (typeof query !== 'object' || query === null) return query as Dsl;
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => {
      if (clauses.has(name))
        return [name, Object.fromEntries(Object.entries(value as Dsl).map(([field, one]) => [`${path}.${field}`, one]))];
      return name === 'exists' ? [name, { field: `${path}.${(value as { field: string }).field}` }] : [name, prefixFields(value, path)];
    }),
  );
}

function plain(token: string): string {
  return token.startsWith('"') ? token.slice(1, -1).replaceAll(/\\(.)/g, '$1') : token;
}

function next(reader: Reader): string {
  const token = reader.tokens[reader.at++];
  if (token === undefined) throw new Error('KQL: ends too early');
  return token;
}

function take(reader: Reader, token: string): boolean {
  if (reader.tokens[reader.at]?.toLowerCase() !== token) return false;
  reader.at++;
  return true;
}

function expect(reader: Reader, token: string): void {
  const found = next(reader);
  if (found !== token) throw new Error(`KQL: ${token} was expected, not ${found}`);
}
