import { wildcard } from '../../model/tables/wildcard.ts';
import { createWantedFields, wantedInside } from '../wanted-fields.ts';
import type { WantedFields } from '../wanted-fields.ts';

/** What is looked at in the documents of one index: as whole documents, and as those an update holds, its `doc` and its `upsert`. */
export interface DocumentFields {
  readonly whole: WantedFields;
  readonly inDoc: WantedFields;
  readonly inUpsert: WantedFields;
}

/** Which fields are looked at, by index. */
export interface WantedByIndex {
  /** All fields that are looked at anywhere: renderings are kept by their numbers. */
  readonly names: readonly string[];
  /** Whether it depends on the index at all. */
  readonly isUniform: boolean;
  /** `null`: nothing is looked at. */
  of(index: string | null): DocumentFields | null;
}

/** The settings of the same names. */
export interface WantedSettings {
  readonly fields: readonly string[];
  readonly fieldsByIndex: Readonly<Record<string, readonly string[]>>;
  /** Fields with texts that are searched, wherever fields are looked at. */
  readonly extractFields?: readonly string[];
}

/** Prepares the fields that the settings name. */
export function createWantedByIndex({ fields, fieldsByIndex: byIndex, extractFields: texts = [] }: WantedSettings): WantedByIndex {
  const names = [...new Set([...fields, ...Object.values(byIndex).flat(), ...texts])];
  const general = documentFields(names, fields, texts);
  const patterns = Object.entries(byIndex).map(([pattern, chosen]) => ({
    fits: wildcard(pattern),
    fields: documentFields(names, chosen, texts),
  }));
  const known = new Map<string, DocumentFields | null>();
  return {
    names,
    isUniform: patterns.length === 0,
    of(index) {
      if (index === null || patterns.length === 0) return general;
      let found = known.get(index);
      if (found === undefined) {
        const fitting = patterns.find(({ fits }) => fits(index));
        found = fitting === undefined ? general : fitting.fields;
        if (known.size < 1000) known.set(index, found);
      }
      return found;
    },
  };
}

function documentFields(names: readonly string[], chosen: readonly string[], texts: readonly string[]): DocumentFields | null {
  if (chosen.length === 0) return null;
  const whole = createWantedFields(names, [...chosen, ...texts], texts);
  return { whole, inDoc: wantedInside('doc', whole), inUpsert: wantedInside('upsert', whole) };
}
