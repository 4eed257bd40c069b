import { LookupError } from '../../model/lookup-error.ts';
import type { FeedStep } from '../feed.ts';

/** Where a list that is read whole comes from. */
export interface ListSource {
  readonly baseUrl?: string | undefined;
  readonly path?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** The one step of a list that is read whole; an unchanged one costs a 304, by the ETag kept as cursor. */
export function listStep(feed: string, { baseUrl, path, headers }: ListSource, cursor: string | null): FeedStep<null> {
  if ((baseUrl === undefined) === (path === undefined))
    throw new LookupError('invalid', feed, `set exactly one of feeds.${feed}.base_url and feeds.${feed}.path`);
  if (path !== undefined) return { call: { file: path }, state: null };
  return {
    call: { url: new URL(String(baseUrl)), headers: { ...headers, ...(cursor === null ? {} : { 'if-none-match': cursor }) } },
    state: null,
  };
}
