import { Cron } from 'croner';

const PARTS = 5;

/** A point in time after `afterMs` (milliseconds since 1970); Infinity: there is none. */
export type NextTime = (afterMs: number) => number;

/**
 * Reads a cron expression of five fields (minute, hour, day of the month, month, day of the week; also `@daily` and the like) as times in
 * UTC. A day counts when either of the two day fields names it, if both are restricted. A text says what is wrong instead.
 */
export function parseCron(expression: string): NextTime | string {
  const text = expression.trim();
  if (!text.startsWith('@') && text.split(/\s+/).length !== PARTS)
    return `a cron expression has ${PARTS} parts: minute, hour, day of the month, month, day of the week`;
  try {
    const cron = new Cron(text, { mode: '5-part', timezone: 'UTC', paused: true, sloppyRanges: true });
    const next: NextTime = (afterMs) => cron.nextRun(new Date(afterMs))?.getTime() ?? Infinity;
    return next(0) === Infinity ? 'no day of any year fits it' : next;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^CronPattern: /, '') : 'no cron expression';
  }
}
