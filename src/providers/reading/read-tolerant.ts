import { $ZodError, type $ZodType, type output, safeParse } from 'zod/v4/core';

/** Fields that are left out of one answer at most: what differs in more is another kind of answer. */
const MAX_DROPPED = 20;

/** An answer as its schema has it, and how many fields of it had another type than documented and were left out. */
export interface TolerantReading<Schema extends $ZodType> {
  readonly answer: output<Schema>;
  readonly dropped: number;
}

type Path = readonly PropertyKey[];

/**
 * Reads an answer by its schema. What decides is held to it strictly: a fault there throws the schema's error. Decoration of another type
 * (a date that is a number, a tag that is none) is left out and counted, so that it costs no verdict. `decides`: names of the fields, at
 * whatever depth, that decide.
 */
export function readTolerant<Schema extends $ZodType>(
  schema: Schema,
  body: unknown,
  decides: ReadonlySet<string>,
): TolerantReading<Schema> {
  let read = safeParse(schema, body);
  if (read.success) return { answer: read.data, dropped: 0 };
  const rest: unknown = structuredClone(body);
  let dropped = 0;
  while (!read.success) {
    const { issues } = read.error;
    // List items are cut from the end on, so that the places of those before them stay.
    for (const { path } of issues.toReversed()) {
      const cut = cuttable(rest, path, decides);
      if (cut === null || dropped >= MAX_DROPPED) throw new $ZodError(issues);
      remove(rest, cut);
      dropped += 1;
    }
    read = safeParse(schema, rest);
  }
  return { answer: read.data, dropped };
}

/** What a person is told of fields that were left out; nothing, where there were none. */
export function droppedNote(dropped: number): { readonly note?: string } {
  if (dropped === 0) return {};
  return { note: `${dropped} ${dropped === 1 ? 'field' : 'fields'} of the answer had another type than documented and were left out` };
}

/** The path itself when something stands there that does not decide, else the item or field around it; `null`: what is wrong decides. */
function cuttable(body: unknown, path: Path, decides: ReadonlySet<string>): Path | null {
  for (let end = path.length; end > 0; end -= 1) {
    const at = path.slice(0, end);
    if (at.some((key, n) => typeof key === 'string' && decides.has(key) && isLastName(at, n))) return null;
    if (valueAt(body, at) !== undefined) return at;
  }
  return null;
}

/** Whether no other field is named behind the n-th key: what lies deeper in a field that decides need not decide itself. */
function isLastName(path: Path, n: number): boolean {
  return path.slice(n + 1).every((key) => typeof key === 'number');
}

function valueAt(body: unknown, path: Path): unknown {
  let at = body;
  for (const key of path) at = typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined;
  return at;
}

function remove(body: unknown, path: Path): void {
  const holder = valueAt(body, path.slice(0, -1));
  const key = path.at(-1);
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else if (typeof holder === 'object' && holder !== null && key !== undefined) Reflect.deleteProperty(holder, key);
}
