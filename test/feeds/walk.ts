import type { Feed, FeedItem, FeedStep, FileCall, RejectedItem } from '../../src/feeds/feed.ts';
import type { HttpAnswer, HttpCall } from '../../src/providers/provider.ts';

/** Everything a feed gave, with the calls it made. */
export interface Walk {
  readonly items: FeedItem[];
  readonly rejected: RejectedItem[];
  readonly ignored: number;
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
  const context = { settings, cursor, startedAtS: 1_795_000_000 };
  const found: { -readonly [K in keyof Walk]: Walk[K] } = { items: [], rejected: [], ignored: 0, cursor: null, calls: [] };
  let step: FeedStep | null = feed.first(context);
  while (step) {
    found.calls.push(step.call);
    const got = reply(http(step.call), found.calls.length);
    if (got.status >= 400 && !feed.reads?.(got, step)) throw new Error(`HTTP ${got.status}`);
    const page = feed.read(got, step, context);
    found.items.push(...page.items);
    found.rejected.push(...page.rejected);
    found.ignored += page.ignored;
    found.cursor = page.cursor ?? found.cursor;
    step = page.next;
  }
  return found;
}
