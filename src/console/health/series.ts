import { quantileBetween, type Reading, type Sample } from './metrics-text.ts';
import { burnLimit, type Report, type SourceReport } from './week.ts';

/** What a chart shows, oldest first. */
export interface Series {
  /** Seconds since 1970, UTC; rising. */
  readonly times: readonly number[];
  /** One for each of `times`; `null`: not measured, which is a gap and never zero. */
  readonly values: readonly (number | null)[];
}

const DAY_MS = 86_400_000;
/** How far ahead credits are reckoned. */
const MOST_DAYS = 30;

/** What a counter gained a second, between each reading and the one before; `null` where the sidecar was started anew in between. */
export function rates(readings: readonly Reading[], pick: (samples: readonly Sample[]) => number): Series {
  return between(readings, (now, before) => {
    const gained = pick(now.samples) - pick(before.samples);
    return gained < 0 ? null : gained / ((now.atMs - before.atMs) / 1000);
  });
}

/** The milliseconds within which this share of the calls between two readings was answered; `null`: there were none, or it is past all bounds. */
export function quantiles(readings: readonly Reading[], share: number): Series {
  return between(readings, (now, before) => {
    const seconds = quantileBetween(now.samples, before.samples, share);
    return seconds === null || seconds === Infinity ? null : seconds * 1000;
  });
}

function between(readings: readonly Reading[], measure: (now: Reading, before: Reading) => number | null): Series {
  const pairs = readings.slice(1).flatMap((now, n) => {
    const before = readings[n];
    // A clock that was set back would make time run backwards.
    return before === undefined || now.atMs <= before.atMs ? [] : [{ now, before }];
  });
  return { times: pairs.map(({ now }) => now.atMs / 1000), values: pairs.map(({ now, before }) => measure(now, before)) };
}

/** A figure of each week. A week without a call was not measured. */
export function weekly({ trend }: Report, pick: (week: Report['trend'][number]) => number | null): Series {
  return {
    times: trend.map(({ from }) => Date.parse(from) / 1000),
    values: trend.map((week) => (week.calls === 0 ? null : pick(week))),
  };
}

/**
 * The credits of a source on the days to come, at the pace of the week: until none are left, 30 days at most, and those of a budget until the
 * month (UTC) ends, when it starts again. `null`: it was not used, or no limit is known.
 */
export function creditsAhead(source: SourceReport, left: number | null, nowMs: number): Series | null {
  const { least, isBudget } = burnLimit(source, left);
  if (least === Infinity || source.credits === 0) return null;
  const perDay = source.credits / 7;
  const now = new Date(nowMs);
  const daysOfMonth = (Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1) - nowMs) / DAY_MS;
  const days = Math.min(MOST_DAYS, least / perDay, isBudget ? daysOfMonth : Infinity);
  const ahead = [...Array.from({ length: Math.ceil(days) }, (_, day) => day), days];
  return {
    times: ahead.map((day) => (nowMs + day * DAY_MS) / 1000),
    values: ahead.map((day) => Math.max(0, least - perDay * day)),
  };
}
