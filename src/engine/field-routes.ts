import type { Enrichment } from '../model/enrichment.ts';
import { wildcard } from '../model/tables/wildcard.ts';
import { fieldOfRoute, questionOf, readQuestion } from '../model/question.ts';
import type { Enricher, EnrichOptions } from './enricher.ts';

/**
 * Who is not asked about values that stand in a field. All fields for which the same providers are left out have one route: their ids, with
 * commas; none where everybody is asked.
 */
export interface FieldRoutes {
  routeOf(this: void, field: string): string;
  /** The route of a question in these settings. */
  resolve(route: string): string;
}

/** `fieldsOf`: the fields of each provider that has some, with `*` for any characters; the others are asked about all fields. */
export function createFieldRoutes(fieldsOf: ReadonlyMap<string, readonly string[]>): FieldRoutes {
  const limited = [...fieldsOf].map(([provider, patterns]) => ({ provider, fits: patterns.map(wildcard) }));
  const routeOf = (field: string) =>
    limited.flatMap(({ provider, fits }) => (fits.some((isIt) => isIt(field)) ? [] : [provider])).join(',');
  return {
    routeOf,
    resolve(route) {
      const field = fieldOfRoute(route);
      return field === null ? route : routeOf(field);
    },
  };
}

/** What an enricher is asked about a value that stands in a field. */
export function questionIn(
  { routeOf }: Pick<Enricher, 'routeOf'>,
  { field, value }: { readonly field: string; readonly value: string },
): string {
  return routeOf === undefined ? value : questionOf(routeOf(field), value);
}

type EnrichValues = (values: Iterable<string>, wanted: EnrichOptions) => Promise<unknown>;

/** `enrichMany` by questions: those of one route are asked together. A call that two routes need is made once. */
export async function enrichByRoute(
  routes: FieldRoutes,
  questions: Iterable<string>,
  wanted: EnrichOptions,
  enrich: EnrichValues,
): Promise<Map<string, Enrichment>> {
  const found = new Map<string, Enrichment>();
  const take = wanted.take ?? ((question: string, enrichment: Enrichment) => void found.set(question, enrichment));
  const asked = [...sortByRoute(routes, questions)].map(([route, byValue]) =>
    enrich(byValue.keys(), {
      ...wanted,
      route,
      take: (value, enrichment) => byValue.get(value)?.forEach((question) => take(question, enrichment)),
    }),
  );
  await Promise.all(asked);
  return found;
}

/** The questions, by route and by value. */
function sortByRoute(routes: FieldRoutes, questions: Iterable<string>): Map<string, Map<string, string[]>> {
  const sorted = new Map<string, Map<string, string[]>>();
  for (const question of questions) {
    const { route: given, value } = readQuestion(question);
    const route = routes.resolve(given);
    let byValue = sorted.get(route);
    if (!byValue) sorted.set(route, (byValue = new Map()));
    const same = byValue.get(value);
    if (same) same.push(question);
    else byValue.set(value, [question]);
  }
  return sorted;
}
