/** One key that somebody wants to know of, or that leads to one. */
export interface KeyNode {
  /** Index of the wanted field whose values are here; -1: none. */
  field: number;
  /** Where it is noted that this key stands in the event (see `Place`); -1: nowhere. */
  place: number;
  /** Bit of the member of `ismalicious` that this key is; 0: none. */
  member: number;
  /** Children by the length of their key in bytes; an entry that is missing has none. */
  byLength: (readonly Branch[] | undefined)[];
  /** Children by their key, for keys that are spelled with escapes. */
  byText: Map<string, KeyNode>;
}

export interface Branch {
  readonly key: Uint8Array;
  readonly node: KeyNode;
}

/** What a path through the event means. */
export type Mark = Partial<Pick<KeyNode, 'field' | 'place' | 'member'>>;

/** A tree without a single key. */
export function createKeyTree(): KeyNode {
  return { field: -1, place: -1, member: 0, byLength: [], byText: new Map() };
}

/**
 * Marks a path in every form it can take in JSON: `dns.answers.data` is written as nested objects, as one dotted key, or
 * as any mixture of the two (Elasticsearch reads them all alike).
 */
export function markPath(root: KeyNode, path: string, mark: Mark): void {
  const dot = path.indexOf('.');
  for (let cut = dot; cut !== -1; cut = path.indexOf('.', cut + 1)) {
    markPath(childOf(root, path.slice(0, cut)), path.slice(cut + 1), mark);
  }
  Object.assign(childOf(root, path), mark);
}

function childOf(node: KeyNode, key: string): KeyNode {
  return node.byText.get(key) ?? graft(node, key, createKeyTree());
}

/** Makes `child` the child of `node` under a key that has none yet. */
export function graft(node: KeyNode, key: string, child: KeyNode): KeyNode {
  const bytes = Buffer.from(key);
  node.byText.set(key, child);
  while (node.byLength.length <= bytes.length) node.byLength.push(undefined);
  node.byLength[bytes.length] = [...(node.byLength[bytes.length] ?? []), { key: bytes, node: child }];
  return child;
}

/** The child, among `branches`, whose key is spelled by the bytes at `start`; all of them have one length. */
export function spelledAs(branches: readonly Branch[], bytes: Uint8Array, start: number): KeyNode | undefined {
  for (const branch of branches) {
    if (isSpelled(branch.key, bytes, start)) return branch.node;
  }
  return undefined;
}

function isSpelled(key: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let n = 0; n < key.length; n++) {
    if (key[n] !== bytes[start + n]) return false;
  }
  return true;
}
