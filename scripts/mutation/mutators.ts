import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The part of Babel's path that is read here. */
interface NodePath {
  readonly node: { readonly type: string; readonly value?: unknown };
  readonly parent: {
    readonly type: string;
    readonly key?: unknown;
    readonly operator?: string;
    readonly left?: { readonly computed?: boolean };
  };
  readonly parentPath?: { readonly parent?: { readonly type: string } };
}

/** What Stryker calls a mutator: from a place in the program to what may stand there instead. */
interface Mutator {
  readonly name: string;
  mutate(path: NodePath, options: unknown): Iterable<unknown>;
}

/** Mutators that move a boundary: none of their changes is left out of a sample. */
export const BOUNDARY_MUTATORS: ReadonlySet<string> = new Set([
  'ArithmeticOperator',
  'EqualityOperator',
  'NumericLiteral',
  'UnaryOperator',
  'UpdateOperator',
]);

/** From here on a number is a size or a time: one more or less is nothing anybody decides by. */
const LARGE = 1000;

/** What stands in for a number: its neighbours; for a large one ten times as much, and a tenth. */
function otherNumbers(value: number): number[] {
  if (value >= LARGE) return [value * 10, Math.trunc(value / 10)];
  return value >= 1 ? [value + 1, value - 1] : [value + 1];
}

/** What the compiler wants after an index, `list[n] ?? 0` and `const [a = 0] = list`, although something is there. */
function isNeverReached({ parent, parentPath }: NodePath): boolean {
  if (parent.type === 'AssignmentPattern') return parentPath?.parent?.type === 'ArrayPattern';
  return parent.operator === '??' && parent.left?.computed === true;
}

/** Stryker changes operators but leaves numbers alone; a threshold is a number. */
const numericLiteral: Mutator = {
  name: 'NumericLiteral',
  *mutate(path) {
    const { node, parent } = path;
    if (node.type !== 'NumericLiteral' || typeof node.value !== 'number' || isNeverReached(path)) return;
    if (parent.type === 'TSLiteralType' || (parent.type === 'ObjectProperty' && parent.key === node)) return;
    for (const value of otherNumbers(node.value)) yield { type: 'NumericLiteral', value };
  },
};

/**
 * Has Stryker change numbers, too, and leave out all but every `every`th change that moves no boundary. It takes no mutators from outside:
 * its own list is the only way in.
 */
export async function prepareMutators(every: number): Promise<void> {
  const instrumenter = createRequire(import.meta.resolve('@stryker-mutator/core')).resolve('@stryker-mutator/instrumenter');
  const list = pathToFileURL(join(dirname(instrumenter), 'mutators/mutate.js')).href;
  const { allMutators } = (await import(list)) as { allMutators: Mutator[] };
  let seen = 0;
  const sampled = allMutators.map((mutator): Mutator => {
    if (BOUNDARY_MUTATORS.has(mutator.name)) return mutator;
    return {
      ...mutator,
      *mutate(path, options) {
        for (const change of mutator.mutate(path, options)) if (seen++ % every === 0) yield change;
      },
    };
  });
  allMutators.splice(0, Infinity, ...sampled, numericLiteral);
}
