import { strictestTlp, TLP_LABELS } from '../../../model/tlp.ts';
import { VERDICT_WORDS } from '../../../model/verdict.ts';
import type { RowOptions } from '../../../rows/row-options.ts';
import { type OptionRules, readOptionWords, toBoolean, toList, UsageError } from '../../../splunkd/option-words.ts';
import { wordTable } from '../../../model/tables/word-table.ts';

const EXAMPLE = '| ismalicious dest_ip';

// Splunk asks for rows in chunks; design §3.4 sets the deadline of one.
const DEFAULT_TIMEOUT_MS = 60_000;
const MAX_TIMEOUT_S = 3600;

const UNIT_S = wordTable<number>({ s: 1, m: 60, h: 3600, d: 86_400 });

type Draft = { -readonly [Name in keyof RowOptions]: RowOptions[Name] };

const RULES: OptionRules<Draft> = {
  prefix(text, draft) {
    draft.prefix = text;
    // Without a prefix the outputs would be `source`, `type`, …: fields that events already have.
    return /^[A-Za-z][A-Za-z0-9_.]*$/.test(text) ? undefined : 'a letter, then letters, digits, "_" or ".", for example prefix=im_';
  },
  providers(text, draft) {
    const ids = toList(text);
    draft.providers = ids;
    return ids.length > 0 && ids.every((id) => /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)?$/.test(id))
      ? undefined
      : 'provider ids, for example providers=ismalicious,local';
  },
  mode(text, draft) {
    const mode = text.toLowerCase();
    if (mode !== 'enrich' && mode !== 'cache' && mode !== 'plan') return 'enrich, cache or plan';
    draft.mode = mode;
    return undefined;
  },
  timeout(text, draft) {
    const seconds = /^\d+(\.\d+)?s?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
    draft.timeoutMs = Math.ceil(seconds * 1000);
    return seconds > 0 && seconds <= MAX_TIMEOUT_S ? undefined : `seconds above 0, up to ${MAX_TIMEOUT_S}, for example timeout=30`;
  },
  max_age(text, draft) {
    const [, count, unit = 's'] = /^(\d{1,9})([smhd]?)$/i.exec(text) ?? [];
    draft.maxAgeS = Number(count) * (UNIT_S.get(unit.toLowerCase() || 's') ?? Number.NaN);
    return count === undefined ? 'a whole number with s, m, h or d, for example max_age=24h' : undefined;
  },
  details(text, draft) {
    const isWanted = toBoolean(text);
    draft.details = isWanted === true;
    return isWanted === null ? 'true or false' : undefined;
  },
  only(text, draft) {
    const words = toList(text);
    const known = VERDICT_WORDS.filter((word) => words.includes(word));
    draft.only = known;
    return words.length > 0 && known.length === new Set(words).size
      ? undefined
      : `of ${VERDICT_WORDS.join(', ')}, for example only=malicious,suspicious`;
  },
  budget(text, draft) {
    draft.budget = Number(text);
    return /^\d{1,9}$/.test(text) ? undefined : 'a whole number of look-ups, 0 or more, for example budget=500';
  },
  tlp(text, draft) {
    const label = strictestTlp([text]);
    if (label !== null) draft.tlp = label;
    return label === null ? `one of ${TLP_LABELS.join(', ')}, for example tlp=AMBER` : undefined;
  },
  profile(text, draft) {
    draft.profile = text;
    return /^[a-z][a-z0-9_]{0,31}$/.test(text) ? undefined : 'the name of a profile of the configuration file, for example profile=soc';
  },
  trace(text, draft) {
    const isWanted = toBoolean(text);
    draft.trace = isWanted === true;
    return isWanted === null ? 'true or false' : undefined;
  },
};

/**
 * Reads the words after the command's name.
 * `args`: as splunkd unquoted them; `rawArgs`: as typed, to tell the field `"a, b"` from the fields `a, b`.
 * Throws `UsageError` with every fault at once.
 */
export function readCommandOptions(args: readonly string[], rawArgs: readonly string[] = []): RowOptions {
  const draft = {
    prefix: 'im_',
    providers: null,
    mode: 'enrich',
    timeoutMs: DEFAULT_TIMEOUT_MS,
    maxAgeS: null,
    details: false,
    only: null,
    budget: null,
    fields: [],
  } as Draft;
  const { fields, faults } = readOptionWords({ args, rawArgs }, { rules: RULES, draft, example: EXAMPLE, sample: 'max_age=24h' });
  draft.fields = fields;
  if (fields.length === 0) faults.push(`no field given; name the field that holds the indicator, for example ${EXAMPLE}`);
  if (faults.length > 0) throw new UsageError(`isMalicious: ${faults.join('; ')}.`);
  return draft;
}
