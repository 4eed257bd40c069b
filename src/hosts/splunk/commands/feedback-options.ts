import { OVERRIDE_VERDICTS, type OverrideVerdict } from '../../../engine/feedback/overrides.ts';
import { parseIndicator } from '../../../model/parse-indicator.ts';
import { type OptionRules, readOptionWords, toBoolean, type TypedWords, UsageError } from '../../../splunkd/option-words.ts';
import { wordTable } from '../../../model/tables/word-table.ts';

/** What the words after `| ismaliciousfeedback` ask for. */
export interface FeedbackWishes {
  readonly action: 'add' | 'list' | 'remove';
  /** Values as given, each once. */
  readonly values: readonly string[];
  readonly verdict: OverrideVerdict | null;
  readonly reason: string | null;
  /** `null`: as the verdict has it. */
  readonly score: number | null;
  /** `null`: until it is taken back. */
  readonly expires: Expiry | null;
  /** Whether `list` shows those that ended, too. */
  readonly all: boolean;
}

/** When an override ends: so many seconds from now, or at a time (seconds since 1970). */
export type Expiry = { readonly kind: 'after' | 'at'; readonly seconds: number };

const EXAMPLE = '| ismaliciousfeedback value=198.51.100.7';
const MAX_VALUES = 100;
const MAX_REASON_CHARS = 500;
const UNIT_S = wordTable<number>({ m: 60, h: 3600, d: 86_400, w: 604_800 });

type Draft = { -readonly [Name in keyof FeedbackWishes]: FeedbackWishes[Name] };

const RULES: OptionRules<Draft> = {
  action(text, draft) {
    const action = text.toLowerCase();
    if (action !== 'add' && action !== 'list' && action !== 'remove') return 'add, list or remove';
    draft.action = action;
    return undefined;
  },
  value(text, draft) {
    draft.values = [...new Set(text.split(/[\s,]+/).filter((word) => word !== ''))];
    return draft.values.length > 0 && draft.values.length <= MAX_VALUES
      ? undefined
      : `1 to ${MAX_VALUES} values, by comma or blank, for example value="198.51.100.7, evil[.]example"`;
  },
  verdict(text, draft) {
    draft.verdict = OVERRIDE_VERDICTS.find((word) => word === text.toLowerCase()) ?? null;
    return draft.verdict === null ? `one of ${OVERRIDE_VERDICTS.join(', ')}` : undefined;
  },
  reason(text, draft) {
    draft.reason = text;
    return text !== '' && text.length <= MAX_REASON_CHARS
      ? undefined
      : `why, in 1 to ${MAX_REASON_CHARS} characters, for example reason="our own scanner"`;
  },
  score(text, draft) {
    draft.score = Number(text);
    return /^\d{1,3}$/.test(text) && draft.score <= 100 ? undefined : 'a whole number, 0 to 100';
  },
  expires(text, draft) {
    draft.expires = readExpiry(text);
    return draft.expires === null ? 'how long it counts (12h, 30d, 8w) or its last day (2027-01-31, UTC)' : undefined;
  },
  all(text, draft) {
    const isWanted = toBoolean(text);
    draft.all = isWanted === true;
    return isWanted === null ? 'true or false' : undefined;
  },
};

/** `30d` from now, or the end of a day. */
function readExpiry(text: string): Expiry | null {
  const [, count, unit = ''] = /^(\d{1,5})([mhdw])$/i.exec(text) ?? [];
  if (count !== undefined) {
    const seconds = Number(count) * (UNIT_S.get(unit.toLowerCase()) ?? Number.NaN);
    return seconds > 0 ? { kind: 'after', seconds } : null;
  }
  const endMs = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T23:59:59Z`) : Number.NaN;
  return Number.isNaN(endMs) ? null : { kind: 'at', seconds: endMs / 1000 };
}

/** Reads the words after the command's name, and whether they say all that the action needs. Throws `UsageError` with every fault at once. */
export function readFeedbackOptions(words: TypedWords): FeedbackWishes {
  const draft: Draft = { action: 'add', values: [], verdict: null, reason: null, score: null, expires: null, all: false };
  const { fields, faults } = readOptionWords(words, {
    rules: RULES,
    draft,
    example: EXAMPLE,
    sample: 'verdict=clean reason="our own scanner"',
  });
  for (const field of fields) faults.push(`"${field.slice(0, 60)}" is not understood; a value is given as value=…`);
  if (words.args.some((arg) => /^\s*author\s*=/i.test(arg))) faults.push('the author is the user who runs the search');
  if (faults.length === 0) faults.push(...missingOf(draft));
  if (faults.length > 0) throw new UsageError(`isMalicious: ${faults.join('; ')}.`);
  return draft;
}

function missingOf({ action, values, verdict, reason }: FeedbackWishes): string[] {
  if (action === 'list') return [];
  const missing = [
    ...(values.length === 0 ? ['no value given'] : []),
    ...(action === 'add' && verdict === null ? ['verdict is missing'] : []),
    ...(action === 'add' && reason === null ? ['reason is missing: it is shown with every answer'] : []),
  ];
  const call = action === 'add' ? `${EXAMPLE} verdict=clean reason="our own scanner" expires=30d` : `${EXAMPLE} action=remove`;
  if (missing.length > 0) return [...missing, `for example ${call}`];
  // Before anything is taken: one of several that is wrong must not leave the others half done.
  return values.flatMap((value) => {
    const parsed = parseIndicator(value);
    return parsed.kind === 'invalid' ? [`the value "${value.slice(0, 60)}" ${parsed.reason}`] : [];
  });
}
