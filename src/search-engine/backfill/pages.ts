import { LookupError } from '../../model/lookup-error.ts';
import { type EngineAnswer, type EngineClient, memberOf, refusalOf } from '../engine-client.ts';
import { EngineFault, type FoundDocument, readDocument } from './found-document.ts';
import { type BackfillQuery, sortByTime, sourceIncludes, toSearchQuery } from './backfill-query.ts';

/** Some documents, newest first. */
export interface Page {
  readonly documents: readonly FoundDocument[];
  /** Time of the last one, milliseconds since 1970: all newer ones of this part have been read. 0: it has none. */
  readonly timeMs: number;
  readonly isLast: boolean;
}

/** One part of the documents, page by page. */
export interface PageReader {
  next(): Promise<Page>;
  close(): Promise<void>;
}

/** A view of the documents that does not change while it is read. */
export interface Snapshot {
  /** Parts that can be read at once. */
  readonly parts: number;
  /** `upToMs`: begin at this time; `size`: documents a page. */
  open(part: number, upToMs: number | null, size: number): PageReader;
  close(): Promise<void>;
}

/** The page was larger than an answer may be: ask for fewer documents. */
export class PageTooLargeError extends Error {
  override readonly name = 'PageTooLargeError';
}

/** Indices that keep no `_source`: their documents cannot be read, nor updated. */
export class NoSourceError extends Error {
  override readonly name = 'NoSourceError';
  readonly indices: readonly string[];

  constructor(indices: readonly string[]) {
    super(`no _source in ${indices.join(', ')}`);
    this.indices = indices;
  }
}

const KEEP_ALIVE = '5m';

const DIALECTS = [
  { open: '_pit', close: '/_pit', idName: 'id', closeBody: (id: string) => ({ id }) },
  { open: '_search/point_in_time', close: '/_search/point_in_time', idName: 'pit_id', closeBody: (id: string) => ({ pit_id: [id] }) },
] as const;

/** A point in time where the engine has one (Elasticsearch, OpenSearch); else scrolls (Elasticsearch 7.10 without x-pack). */
export async function openSnapshot(engine: EngineClient, query: BackfillQuery, parts: number): Promise<Snapshot> {
  for (const dialect of DIALECTS) {
    const answer = await engine.call('POST', `/${encodeURIComponent(query.index)}/${dialect.open}?keep_alive=${KEEP_ALIVE}`);
    const id = memberOf(answer.body, dialect.idName);
    if (answer.status === 401 || answer.status === 403) throw new EngineFault(answer.status, refusalOf(answer));
    if (answer.status !== 200 || typeof id !== 'string') continue;
    return {
      parts,
      open: (part, upToMs, size) => pitReader(engine, query, { id, slice: { id: part, max: parts }, upToMs, size }),
      close: async () => void (await engine.call('DELETE', dialect.close, dialect.closeBody(id))),
    };
  }
  return {
    parts,
    open: (part, upToMs, size) => scrollReader(engine, query, { slice: { id: part, max: parts }, upToMs, size }),
    close: async () => undefined,
  };
}

interface Part {
  readonly slice: { readonly id: number; readonly max: number };
  readonly upToMs: number | null;
  readonly size: number;
}

function searchBody(query: BackfillQuery, { slice, upToMs, size }: Part): Record<string, unknown> {
  return {
    size,
    query: toSearchQuery(query, upToMs),
    _source: sourceIncludes(query.fields),
    seq_no_primary_term: true,
    ...(slice.max > 1 && { slice }),
  };
}

function pitReader(engine: EngineClient, query: BackfillQuery, part: Part & { readonly id: string }): PageReader {
  let after: unknown = null;
  // The last word between two documents of one time: without it one of them could be passed over at the border of two pages.
  // OpenSearch knows it since 3.3; the number of the write is unique within a shard at least.
  let tieBreaker = '_shard_doc';
  const search = () => {
    const sort = [sortByTime(query.timeField), { [tieBreaker]: 'asc' }];
    const body = {
      ...searchBody(query, part),
      track_total_hits: false,
      sort,
      pit: { id: part.id, keep_alive: KEEP_ALIVE },
      ...(after !== null && { search_after: after }),
    };
    return engine.call('POST', '/_search', body);
  };
  return {
    async next() {
      const hits = await readHits(async () => {
        const answer = await search();
        if (answer.status !== 400 || after !== null || tieBreaker === '_seq_no') return answer;
        tieBreaker = '_seq_no';
        return search();
      });
      after = memberOf(hits.at(-1), 'sort');
      return toPage(hits, part.size);
    },
    close: async () => undefined,
  };
}

function scrollReader(engine: EngineClient, query: BackfillQuery, part: Part): PageReader {
  let scrollId: string | null = null;
  const path = `/${encodeURIComponent(query.index)}/_search?ignore_unavailable=true&scroll=${KEEP_ALIVE}`;
  return {
    async next() {
      const isFirst = scrollId === null;
      const hits = await readHits(async () => {
        const answer = isFirst
          ? await engine.call('POST', path, { ...searchBody(query, part), sort: [sortByTime(query.timeField)] })
          : await engine.call('POST', '/_search/scroll', { scroll: KEEP_ALIVE, scroll_id: scrollId });
        const id = memberOf(answer.body, '_scroll_id');
        if (typeof id === 'string') scrollId = id;
        return answer;
      });
      return toPage(hits, part.size);
    },
    async close() {
      if (scrollId !== null) await engine.call('DELETE', '/_search/scroll', { scroll_id: [scrollId] });
    },
  };
}

async function readHits(search: () => Promise<EngineAnswer>): Promise<unknown[]> {
  let answer: EngineAnswer;
  try {
    answer = await search();
  } catch (fault) {
    if (fault instanceof LookupError && fault.code === 'bad_response') throw new PageTooLargeError('page too large', { cause: fault });
    throw fault;
  }
  const shards = memberOf(answer.body, '_shards');
  const failures = listOf(memberOf(shards, 'failures') ?? memberOf(memberOf(answer.body, 'error'), 'failed_shards'));
  const indices = failures.filter(isAboutSource).map((failure) => String(memberOf(failure, 'index')));
  if (indices.length > 0) throw new NoSourceError([...new Set(indices)]);
  const hits = memberOf(memberOf(answer.body, 'hits'), 'hits');
  if (answer.status !== 200 || !Array.isArray(hits)) throw new EngineFault(answer.status, `search: ${refusalOf(answer)}`);
  const failed = memberOf(shards, 'failed');
  // Half an answer would read as "nothing more there".
  if (typeof failed === 'number' && failed > 0) throw new EngineFault(503, `search: ${failed} shards did not answer${firstOf(failures)}`);
  return hits;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** What a shard says whose index keeps no `_source`. */
function isAboutSource(failure: unknown): boolean {
  const reason = memberOf(memberOf(failure, 'reason'), 'reason');
  return typeof memberOf(failure, 'index') === 'string' && typeof reason === 'string' && /_source\b.*\bdisabled\b/.test(reason);
}

function firstOf([failure]: readonly unknown[]): string {
  if (failure === undefined) return '';
  const said = refusalOf({ status: 503, body: { error: memberOf(failure, 'reason') } });
  return ` (${String(memberOf(failure, 'index'))}: ${said})`;
}

function toPage(hits: readonly unknown[], size: number): Page {
  const sort = memberOf(hits.at(-1), 'sort');
  const timeMs = Array.isArray(sort) && typeof sort[0] === 'number' ? sort[0] : 0;
  return { documents: hits.map(readDocument), timeMs, isLast: hits.length < size };
}
