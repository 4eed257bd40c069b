/** What a backfill looks for. */
export interface BackfillQuery {
  /** Indices, data streams, patterns: as a search takes them. */
  readonly index: string;
  /** Dotted ECS names of the fields whose values are looked up. */
  readonly fields: readonly string[];
  /** The field that says when an event was: newest first, and a run is bounded by it. */
  readonly timeField: string;
  /** Bounds on the time field, ISO 8601 or date math (`now-30d`); `null`: none. */
  readonly since: string | null;
  readonly until: string | null;
  /** A query of the user, in the engine's query DSL; `null`: all documents. */
  readonly filter: object | null;
  /** Also documents whose look-up failed on the way in. */
  readonly withFailures: boolean;
  /** Indices that match and are left out, for they cannot be read. */
  readonly without?: readonly string[];
}

/** Tags of documents whose look-up failed on the way in. */
export const FAILURE_TAGS: readonly string[] = ['_ismalicious_failure', '_ismalicious_unavailable'];

/**
 * Documents that hold a value to look up and have no verdict yet. What has been done does not match any more, so that a run can
 * begin anew at any time. `upToMs`: not newer than this, milliseconds since 1970; `null`: all.
 */
export function toSearchQuery(query: BackfillQuery, upToMs: number | null): object {
  const isOpen = { bool: { must_not: [{ exists: { field: 'ismalicious.verdict' } }] } };
  const isUnfinished = { bool: { should: [isOpen, { terms: { tags: FAILURE_TAGS } }], minimum_should_match: 1 } };
  const bounds = { ...(query.since !== null && { gte: query.since }), ...(query.until !== null && { lte: query.until }) };
  const range = (limits: object) => ({ range: { [query.timeField]: limits } });
  const orTimeless = (clause: object) => ({
    bool: { should: [clause, { bool: { must_not: [{ exists: { field: query.timeField } }] } }], minimum_should_match: 1 },
  });
  return {
    bool: {
      filter: [
        query.withFailures ? isUnfinished : isOpen,
        { bool: { should: query.fields.map((field) => ({ exists: { field } })), minimum_should_match: 1 } },
        // A document without a time is in every run that does not ask for those since some time.
        ...(Object.keys(bounds).length === 0 ? [] : [query.since === null ? orTimeless(range(bounds)) : range(bounds)]),
        ...(upToMs === null ? [] : [orTimeless(range({ lte: upToMs, format: 'epoch_millis' }))]),
        ...(query.filter === null ? [] : [query.filter]),
      ],
      ...(query.without !== undefined && query.without.length > 0 && { must_not: [{ terms: { _index: query.without } }] }),
    },
  };
}

/** Newest first. Times are compared in milliseconds, whatever the field's resolution; a document without one comes last. */
export function sortByTime(timeField: string): object {
  return { [timeField]: { order: 'desc', missing: 0, unmapped_type: 'date', numeric_type: 'date' } };
}

/** The members of a document that are read: the values, and what is added to. */
export function sourceIncludes(fields: readonly string[]): string[] {
  return [...fields, 'ismalicious', 'threat', 'related', 'tags'];
}
