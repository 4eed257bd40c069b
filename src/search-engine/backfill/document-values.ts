import { type WantedFields, createWantedFields } from '../../events/wanted-fields.ts';
import { isPlaceholder } from '../../model/parsing/placeholder.ts';
import { readForLookup } from '../../model/read-for-lookup.ts';

/** A document's source, as far as it was fetched. */
export type Source = Readonly<Record<string, unknown>>;

/** A value of a document, and the dotted name of the field it stands in. */
export interface FieldValue {
  readonly field: string;
  readonly value: string;
}

/** Finds the values of a document that are looked up. */
export type ValueReader = (source: Source) => FieldValue[];

/** A reader for these fields (dotted ECS names), however a document spells them: nested, with dots, in lists. */
export function createValueReader(names: readonly string[]): ValueReader {
  const wanted: WantedFields = createWantedFields(names);
  return (source) => {
    const seen = new Set<string>();
    return wanted.names.flatMap((field, n) =>
      valuesAt(source, field.split('.')).flatMap((value) => {
        const key = `${field}\n${value}`;
        // What a field that holds other things too carries besides indicators is passed over.
        if (seen.has(key) || isPlaceholder(value)) return [];
        if (wanted.isLoose[n] === true && readForLookup(value).kind === 'invalid') return [];
        seen.add(key);
        return [{ field, value }];
      }),
    );
  };
}

function valuesAt(value: unknown, path: readonly string[]): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => valuesAt(item, path));
  if (path.length === 0) return typeof value === 'string' && value !== '' ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  // `a.b.c` may stand as {a:{b:{c}}}, {"a.b":{c}}, {a:{"b.c"}} or {"a.b.c"}.
  return path.flatMap((_, n) => {
    const name = path.slice(0, n + 1).join('.');
    return Object.hasOwn(value, name) ? valuesAt((value as Source)[name], path.slice(n + 1)) : [];
  });
}
