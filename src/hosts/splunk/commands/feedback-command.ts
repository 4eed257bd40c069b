import type { Enricher } from '../../../engine/enricher.ts';
import { type FeedbackStore, isInForce, type Override } from '../../../engine/feedback/overrides.ts';
import { giveFeedback, whenFeedbackIsFree } from '../../../engine/feedback/give-feedback.ts';
import { parseIndicator } from '../../../model/parse-indicator.ts';
import type { CommandContext } from './command-context.ts';
import { type Expiry, type FeedbackWishes, readFeedbackOptions } from './feedback-options.ts';
import { converseGenerating } from '../protocol/generating-conversation.ts';
import type { GeneratedTable, GeneratingSearch } from '../protocol/generating-conversation.ts';
import { UsageError } from '../../../splunkd/option-words.ts';
import type { SearchContext } from '../protocol/search-conversation.ts';

/** What the command works with. */
export interface FeedbackDesk {
  readonly engine: Enricher;
  readonly feedback: FeedbackStore;
  readonly warnings: readonly string[];
}

/** Columns of `| ismaliciousfeedback`: `state` is `in force`, `ended` or `none`. */
export const FEEDBACK_FIELDS = [
  'state',
  'im_indicator',
  'im_type',
  'im_verdict',
  'im_score',
  'author',
  'reason',
  'given_at',
  'expires_at',
  'said_verdict',
  'said_score',
  'ended_at',
  'ended_by',
] as const;

type Row = Partial<Record<(typeof FEEDBACK_FIELDS)[number], string>>;

/** Nobody in particular: searches that run for nobody may not decide in anybody's name. */
const NOBODY = new Set(['', 'nobody', 'splunk-system-user', '-']);

/**
 * Answers `| ismaliciousfeedback`: takes, shows or takes back what analysts decided, in the name of the user who runs the search. Who may run
 * it is Splunk's to say (`metadata/default.meta`).
 */
export function answerFeedback(
  world: CommandContext,
  open: (search: SearchContext) => Promise<FeedbackDesk>,
  nowS: () => number,
): Promise<number> {
  return converseGenerating<FeedbackWishes>(world, {
    read: (args) => readFeedbackOptions({ args, rawArgs: [] }),
    async generate(wishes, search): Promise<GeneratedTable> {
      const author = wishes.action === 'list' ? '' : authorOf(search);
      const { engine, feedback, warnings } = await open(search);
      try {
        const rows = await carryOut(wishes, author, { engine, feedback, nowS: nowS() });
        return {
          fields: FEEDBACK_FIELDS,
          rows: rows.map((row) => FEEDBACK_FIELDS.map((field) => row[field] ?? '')),
          messages: warnings.map((warning) => ['WARN', `isMalicious: ${warning}`] as const),
        };
      } finally {
        await engine.close();
      }
    },
  });
}

function authorOf({ user, owner }: GeneratingSearch): string {
  const author = (user ?? owner ?? '').trim();
  if (NOBODY.has(author)) throw new UsageError('isMalicious: an override needs an author: run the search as yourself, not as nobody.');
  return author;
}

interface Desk extends Pick<FeedbackDesk, 'engine' | 'feedback'> {
  readonly nowS: number;
}

async function carryOut(wishes: FeedbackWishes, author: string, desk: Desk): Promise<Row[]> {
  const { feedback, nowS } = desk;
  switch (wishes.action) {
    case 'list': {
      const shown = await whenFeedbackIsFree(() => feedback.list(wishes.all ? {} : { inForceAtS: nowS }));
      const wanted = new Set(wishes.values.map(canonical));
      return shown.filter(({ value }) => wanted.size === 0 || wanted.has(value)).map((override) => overrideRow(override, nowS));
    }
    case 'remove': {
      const rows: Row[] = [];
      for (const value of wishes.values) rows.push(await whenFeedbackIsFree(() => remove(canonical(value), author, desk)));
      return rows;
    }
    default:
      return add(wishes, author, desk);
  }
}

async function add(wishes: FeedbackWishes, author: string, { engine, feedback, nowS }: Desk): Promise<Row[]> {
  const { verdict, reason, score, values } = wishes;
  const forS = secondsOf(wishes.expires, nowS);
  const rows: Row[] = [];
  for (const value of values) {
    const given = { value, verdict: verdict ?? '', reason: reason ?? '', author, forS, ...(score === null ? {} : { score }) };
    const taken = await giveFeedback(given, feedback, engine, nowS);
    if (typeof taken === 'string') throw new UsageError(`isMalicious: ${taken}.`);
    rows.push(overrideRow(taken, nowS));
  }
  return rows;
}

function secondsOf(expires: Expiry | null, nowS: number): number | undefined {
  if (expires === null) return undefined;
  const forS = expires.kind === 'after' ? expires.seconds : expires.seconds - nowS;
  if (forS <= 0) throw new UsageError('isMalicious: expires is in the past.');
  return forS;
}

function remove(value: string, author: string, { feedback, nowS }: Desk): Row {
  if (!feedback.remove(value, author, nowS)) return { state: 'none', im_indicator: value };
  const ended = feedback.list().find((override) => override.value === value);
  return ended === undefined ? { state: 'ended', im_indicator: value } : overrideRow(ended, nowS);
}

function canonical(value: string): string {
  const parsed = parseIndicator(value);
  return parsed.kind === 'invalid' ? value : parsed.indicator.value;
}

/** An override as the commands show it. */
export function overrideRow(override: Override, nowS: number): Row {
  const { value, type, verdict, score, author, reason, atS, untilS, saidVerdict, saidScore, endedAtS, endedBy } = override;
  const time = (seconds: number | null) => (seconds === null ? '' : new Date(seconds * 1000).toISOString().replace('.000Z', 'Z'));
  return {
    state: isInForce(override, nowS) ? 'in force' : 'ended',
    im_indicator: value,
    im_type: type,
    im_verdict: verdict,
    im_score: String(score),
    author,
    reason,
    given_at: time(atS),
    expires_at: time(untilS),
    said_verdict: saidVerdict ?? '',
    said_score: saidScore === null ? '' : String(saidScore),
    ended_at: time(endedAtS),
    ended_by: endedBy ?? '',
  };
}
