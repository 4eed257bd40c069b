/**
 * JSON with nothing lost: the text of numbers and strings, the order of keys, duplicates, white space. Written apart from the
 * sidecar's own reader (recursive, on strings), to be held against it.
 */
export type LosslessNode =
  | { readonly kind: 'object'; readonly members: readonly LosslessMember[]; readonly tail: string }
  | { readonly kind: 'array'; readonly items: readonly LosslessItem[]; readonly tail: string }
  /** `text`: as it is spelled, quotes included. */
  | { readonly kind: 'scalar'; readonly text: string };

export interface LosslessMember {
  /** White space before the key, before the colon, after it, and after the value. */
  readonly space: readonly [string, string, string, string];
  /** As it is spelled, quotes included. */
  readonly key: string;
  readonly value: LosslessNode;
}

export interface LosslessItem {
  readonly space: readonly [string, string];
  readonly value: LosslessNode;
}

/** Reads a whole text; throws for what is no JSON. */
export function parseLossless(text: string): { readonly node: LosslessNode; readonly space: readonly [string, string] } {
  let pos = 0;
  const space = () => take(/[ \t\r\n]*/y);
  function take(pattern: RegExp): string {
    pattern.lastIndex = pos;
    const found = pattern.exec(text)?.[0];
    if (found === undefined) throw new SyntaxError(`at ${pos}: ${text.slice(pos, pos + 20)}`);
    pos += found.length;
    return found;
  }
  // eslint-disable-next-line no-control-regex
  const string = () => take(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y);
  function value(): LosslessNode {
    if (text[pos] === '{') return object();
    if (text[pos] === '[') return array();
    if (text[pos] === '"') return { kind: 'scalar', text: string() };
    return { kind: 'scalar', text: take(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y) };
  }
  function object(): LosslessNode {
    take(/\{/y);
    const members: LosslessMember[] = [];
    let lead = space();
    if (text[pos] === '}') return (take(/\}/y), { kind: 'object', members, tail: lead });
    for (;;) {
      const key = string();
      const beforeColon = space();
      take(/:/y);
      const afterColon = space();
      const node = value();
      const after = space();
      members.push({ space: [lead, beforeColon, afterColon, after], key, value: node });
      if (take(/[,}]/y) === '}') return { kind: 'object', members, tail: '' };
      lead = space();
    }
  }
  function array(): LosslessNode {
    take(/\[/y);
    const items: LosslessItem[] = [];
    let lead = space();
    if (text[pos] === ']') return (take(/\]/y), { kind: 'array', items, tail: lead });
    for (;;) {
      const node = value();
      items.push({ space: [lead, space()], value: node });
      if (take(/[,\]]/y) === ']') return { kind: 'array', items, tail: '' };
      lead = space();
    }
  }
  const before = space();
  const node = value();
  const after = space();
  if (pos !== text.length) throw new SyntaxError(`at ${pos}: more text`);
  return { node, space: [before, after] };
}

/** Writes it back: `printLossless(parseLossless(text).node)` is the text. */
export function printLossless(node: LosslessNode): string {
  switch (node.kind) {
    case 'scalar':
      return node.text;
    case 'array':
      return `[${node.items.map(({ space: [a, b], value }) => a + printLossless(value) + b).join(',')}${node.tail}]`;
    case 'object':
      return `{${node.members.map(({ space: [a, b, c, d], key, value }) => `${a}${key}${b}:${c}${printLossless(value)}${d}`).join(',')}${node.tail}}`;
  }
}

/** A difference between two texts: what the second has that the first has not. */
export interface Change {
  /** Keys, decoded, from the root; items as `[]`. */
  readonly path: readonly string[];
  /** `wrapped`: a single value became the first of a list. `filled`: null became something. */
  readonly kind: 'added' | 'wrapped' | 'filled' | 'changed';
}

/** How `after` differs from `before`: new members and items behind the old ones, or anything else as `changed`. White space counts. */
export function changesBetween(before: LosslessNode, after: LosslessNode, path: readonly string[] = []): Change[] {
  if (before.kind === 'scalar') {
    if (after.kind === 'scalar') return before.text === after.text ? [] : [{ path, kind: 'changed' }];
    if (before.text === 'null') return [{ path, kind: 'filled' }];
    return wrapping(before, after, path);
  }
  if (before.kind === 'object' && after.kind === 'array') return wrapping(before, after, path);
  if (before.kind === 'object' && after.kind === 'object') return memberChanges(before, after, path);
  if (before.kind === 'array' && after.kind === 'array') return itemChanges(before, after, path);
  return [{ path, kind: 'changed' }];
}

function wrapping(before: LosslessNode, after: LosslessNode, path: readonly string[]): Change[] {
  const first = after.kind === 'array' ? after.items[0] : undefined;
  if (first === undefined || printLossless(first.value) !== printLossless(before)) return [{ path, kind: 'changed' }];
  return [{ path, kind: 'wrapped' }];
}

type ObjectNode = Extract<LosslessNode, { kind: 'object' }>;
type ArrayNode = Extract<LosslessNode, { kind: 'array' }>;

function memberChanges(before: ObjectNode, after: ObjectNode, path: readonly string[]): Change[] {
  const kept = before.members.flatMap((member, n): Change[] => {
    const same = after.members[n];
    const own = [...path, JSON.parse(member.key) as string];
    if (same === undefined || same.key !== member.key || same.space.join('|') !== member.space.join('|'))
      return [{ path: own, kind: 'changed' }];
    return changesBetween(member.value, same.value, own);
  });
  const added = after.members
    .slice(before.members.length)
    .map(({ key }): Change => ({ path: [...path, JSON.parse(key) as string], kind: 'added' }));
  return [...kept, ...added];
}

function itemChanges(before: ArrayNode, after: ArrayNode, path: readonly string[]): Change[] {
  const own = [...path, '[]'];
  const kept = before.items.flatMap((item, n): Change[] => {
    const same = after.items[n];
    if (same === undefined || same.space.join('|') !== item.space.join('|')) return [{ path: own, kind: 'changed' }];
    return changesBetween(item.value, same.value, own);
  });
  return [...kept, ...after.items.slice(before.items.length).map((): Change => ({ path: own, kind: 'added' }))];
}
