import { errorFromStatus } from '../../src/engine/calls/http/status.ts';
import type { Feed, FeedContext, FeedItem, FeedPage, FeedStep, FileCall, RejectedItem } from '../../src/feeds/feed.ts';
import { asLookupError } from '../../src/model/lookup-error.ts';
import type { HttpAnswer, HttpCall } from '../../src/providers/provider.ts';

/** Everything a feed gave, with the calls it made. */
export interface Walk {
  readonly items: FeedItem[];
  readonly rejected: RejectedItem[];
  readonly ignored: number;
  /** Networks and AS numbers that it names. */
  readonly networks: string[];
  readonly faults: string[];
  readonly cursor: string | null;
  readonly calls: (HttpCall | FileCall)[];
}

/** An answer of a stand-in. */
export function answer(body: unknown, more: Partial<HttpAnswer> = {}): HttpAnswer {
  return { status: 200, headers: {}, body, ...more };
}

/** The call as an HTTP call. */
export function http(call: HttpCall | FileCall | undefined): HttpCall {
  if (!call || 'file' in call) throw new Error('no HTTP call');
  return call;
}

/** Reads a feed to its end; `reply` stands in for the server. */
export function walk(
  feed: Feed,
  raw: Record<string, unknown>,
  cursor: string | null,
  reply: (call: HttpCall, n: number) => HttpAnswer,
): Walk {
  const settings = feed.settings.parse(raw);
  const context: FeedContext<never> = { settings: settings as never, cursor, startedAtS: 1_795_000_000 };
  const found: { -readonly [K in keyof Walk]: Walk[K] } = {
    items: [],
    rejected: [],
    ignored: 0,
    networks: [],
    faults: [],
    cursor: null,
    calls: [],
  };
  let step: FeedStep | null = feed.first(context);
  while (step) {
    found.calls.push(step.call);
    const got = reply(http(step.call), found.calls.length);
    const page = pageOf(feed, got, { step, context });
    found.items.push(...page.items);
    found.rejected.push(...page.rejected);
    found.ignored += page.ignored;
    found.networks.push(...page.networks.map(({ network }) => network));
    found.faults.push(...page.faults);
    found.cursor = page.cursor ?? found.cursor;
    step = page.next;
  }
  return found;
}

/** As the host does it: what cannot be fetched or read is skipped where the feed can. */
function pageOf(feed: Feed, got: HttpAnswer, { step, context }: { step: FeedStep; context: FeedContext<never> }): FeedPage {
  try {
    const error = feed.reads?.(got, step) ? null : errorFromStatus(feed.id, got, 0);
    if (error && got.status !== 304) throw error;
    return feed.read(got, step, context);
  } catch (cause) {
    const error = asLookupError(feed.id, cause);
    const page = feed.skip?.({ error, status: got.status }, step, context);
    if (!page) throw cause;
    return page;
  }
}
