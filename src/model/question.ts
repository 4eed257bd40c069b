/** Around the route of a question. What begins with it is no indicator. */
const MARK = '\0';
/** Begins the route of a field that whoever is asked works out. */
const BY_FIELD = '=';

/**
 * A value as it stands in a field, in one text: the question that enrichers are asked where not every provider is asked about every field.
 * `route`: of the field, see `FieldRoutes`. Where everybody is asked it is the value itself.
 */
export function questionOf(route: string, value: string): string {
  return route === '' && !value.startsWith(MARK) ? value : markOf(route) + value;
}

/** What stands before the value in a question. */
export function markOf(route: string): string {
  return MARK + route + MARK;
}

/** Whether a text may be a question with a route: the others are values. */
export function isMarked(question: string): boolean {
  return question.startsWith(MARK);
}

/** Takes a question apart. */
export function readQuestion(question: string): { readonly route: string; readonly value: string } {
  const end = isMarked(question) ? question.indexOf(MARK, 1) : -1;
  return end < 0 ? { route: '', value: question } : { route: question.slice(1, end), value: question.slice(end + 1) };
}

/** The value that a question is about. */
export function valueOf(question: string): string {
  return readQuestion(question).value;
}

/** The route of a field for whoever has settings of its own, as a profile has. */
export function routeByField(field: string): string {
  return BY_FIELD + field.replaceAll(MARK, ' ');
}

/** The field of a route that was made by `routeByField`; `null`: it was not. */
export function fieldOfRoute(route: string): string | null {
  return route.startsWith(BY_FIELD) ? route.slice(BY_FIELD.length) : null;
}
