import type { FeedbackStore } from '../../../engine/feedback/overrides.ts';
import { whenFeedbackIsFree } from '../../../engine/feedback/give-feedback.ts';
import type { SentRecord } from '../../../engine/privacy/read-audit-log.ts';
import type { CallerSum } from '../../../engine/privacy/search-audit-log.ts';
import { requestIdsIn } from '../../../model/formats/request-id.ts';
import { converseGenerating, type GeneratedTable } from '../protocol/generating-conversation.ts';
import type { SearchContext } from '../protocol/search-conversation.ts';
import type { CommandContext } from './command-context.ts';
import { FEEDBACK_FIELDS, overrideRow } from './feedback-command.ts';
import { type OptionRules, readOptionWords, UsageError } from '../../../splunkd/option-words.ts';

/** What is shown: analysts' overrides, what was sent to whom, or who spent most. */
type RecordKind = 'overrides' | 'sent' | 'spent';

interface RecordWishes {
  kind: RecordKind;
  max: number;
  all: boolean;
  /** What `im_trace` says of a row; empty: whatever was sent. */
  trace: string;
}

/** What the command reads; nothing in it makes a call or changes anything. */
export interface RecordFacts {
  readonly feedback: Pick<FeedbackStore, 'list'>;
  /** The youngest records of what left, the youngest first. */
  readonly sent: (most: number) => readonly SentRecord[];
  /** The calls that brought the answers of a row, by its trace. */
  readonly traced: (trace: string) => Promise<readonly SentRecord[]>;
  /** Who spent most in the last seven days, those with most credits first. */
  readonly spent: () => Promise<readonly CallerSum[]>;
  readonly warnings: readonly string[];
  close(): Promise<void>;
}

/** Columns of `| ismaliciousrecords kind=sent`. */
export const SENT_FIELDS = ['sent_at', 'provider', 'im_indicator', 'program', 'user', 'search_id', 'run', 'settings'] as const;

/** Columns of `| ismaliciousrecords kind=spent`. */
export const SPENT_FIELDS = ['program', 'user', 'search', 'credits', 'values', 'calls'] as const;

const MAX_ROWS = 10_000;
const EXAMPLE = '| ismaliciousrecords';

const RULES: OptionRules<RecordWishes> = {
  kind(text, draft) {
    if (text !== 'overrides' && text !== 'sent' && text !== 'spent') return 'overrides, sent or spent';
    draft.kind = text;
    return undefined;
  },
  max(text, draft) {
    draft.max = Number(text);
    return /^[1-9]\d{0,4}$/.test(text) && draft.max <= MAX_ROWS ? undefined : `a whole number from 1 to ${MAX_ROWS}`;
  },
  trace(text, draft) {
    draft.trace = text;
    draft.kind = 'sent';
    return requestIdsIn(text).length > 0
      ? undefined
      : 'what im_trace says of a row, for example trace="virustotal@2026-11-21T10:00:00Z#0f3a9c21b7de"';
  },
  all(text, draft) {
    draft.all = /^(t|true|1|yes|y)$/i.test(text);
    return /^(t|true|1|yes|y|f|false|0|no|n)$/i.test(text) ? undefined : 'true or false';
  },
};

function sentRow({ time, provider, indicators, program = '', user = '', search = '', run = '', settings = '' }: SentRecord): string[] {
  return [time, provider, indicators.join(', '), program, user, search, run, settings];
}

/** Reads the words after the command's name. Throws `UsageError` with every fault at once. */
export function readRecordWishes(args: readonly string[]): RecordWishes {
  const draft: RecordWishes = { kind: 'overrides', max: 1000, all: false, trace: '' };
  const { fields, faults } = readOptionWords({ args, rawArgs: [] }, { rules: RULES, draft, example: EXAMPLE, sample: 'kind=sent' });
  if (fields.length > 0)
    faults.push(`"${fields[0]?.slice(0, 60)}" is not understood; it takes kind=, max=, all= and trace=, for example ${EXAMPLE} kind=sent`);
  if (faults.length > 0) throw new UsageError(`isMalicious: ${faults.join('; ')}.`);
  return draft;
}

/** Answers `| ismaliciousrecords`: who decided what, or what left and to whom. It changes nothing, so a page may run it without asking. */
export function answerRecords(
  world: CommandContext,
  open: (search: SearchContext) => Promise<RecordFacts>,
  nowS: () => number,
): Promise<number> {
  return converseGenerating<RecordWishes>(world, {
    read: readRecordWishes,
    async generate({ kind, max, all, trace }, search): Promise<GeneratedTable> {
      const { feedback, sent, traced, spent, warnings, close } = await open(search);
      try {
        const messages = warnings.map((warning) => ['WARN', `isMalicious: ${warning}`] as const);
        if (kind === 'sent') {
          const rows = (trace === '' ? sent(max) : await traced(trace)).map(sentRow);
          return { fields: SENT_FIELDS, rows, messages };
        }
        if (kind === 'spent') {
          const callers = (await spent()).slice(0, max);
          return { fields: SPENT_FIELDS, rows: callers.map((one) => SPENT_FIELDS.map((field) => String(one[field] ?? ''))), messages };
        }
        const now = nowS();
        const shown = await whenFeedbackIsFree(() => feedback.list(all ? {} : { inForceAtS: now }));
        const rows = shown.slice(0, max).map((override) => overrideRow(override, now));
        return { fields: FEEDBACK_FIELDS, rows: rows.map((row) => FEEDBACK_FIELDS.map((field) => row[field] ?? '')), messages };
      } finally {
        await close();
      }
    },
  });
}
