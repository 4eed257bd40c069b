import { INDICATOR_TYPES, type IndicatorType } from '../../../model/indicator.ts';
import { type OptionRules, readOptionWords, toBoolean, toList, type TypedWords, UsageError } from '../../../splunkd/option-words.ts';
import { wordTable } from '../../../model/tables/word-table.ts';

/** What the words after `| ismaliciousextract` ask for. */
export interface ExtractWishes {
  /** Fields that are read, in the order given. */
  readonly fields: readonly string[];
  /** `null`: every type. */
  readonly types: ReadonlySet<IndicatorType> | null;
  readonly prefix: string;
  /** Whether indicators are shown so that nothing makes a link of them. */
  readonly defang: boolean;
  /** One row for each indicator instead of one with several values. */
  readonly expand: boolean;
  /** Whether the hosts of URLs and e-mail addresses are indicators of their own. */
  readonly hosts: boolean;
  /** Most indicators shown of one event. */
  readonly max: number;
}

const EXAMPLE = '| ismaliciousextract _raw';
const DEFAULT_FIELD = '_raw';
const DEFAULT_MAX = 1000;
const MOST = 100_000;

const ALL_TYPES: readonly IndicatorType[] = INDICATOR_TYPES;
const HASHES = ALL_TYPES.filter((type) => type.startsWith('file:'));

/** What people call the types. */
const SHORT = wordTable<readonly IndicatorType[]>({
  ip: ['ipv4-addr', 'ipv6-addr'],
  ipv4: ['ipv4-addr'],
  ipv6: ['ipv6-addr'],
  domain: ['domain-name'],
  email: ['email-addr'],
  hash: HASHES,
  file: HASHES,
  ...Object.fromEntries(HASHES.map((type) => [type.slice('file:'.length), [type]])),
});

type Draft = { -readonly [Name in keyof ExtractWishes]: ExtractWishes[Name] };

const RULES: OptionRules<Draft> = {
  types(text, draft) {
    const words = toList(text);
    const known = words.flatMap((word) => SHORT.get(word) ?? ALL_TYPES.filter((type) => type === word));
    draft.types = new Set(known);
    const areKnown = words.every((word) => SHORT.has(word) || ALL_TYPES.some((type) => type === word));
    return words.length > 0 && areKnown
      ? undefined
      : `${[...SHORT.keys()].join(', ')}, ${ALL_TYPES.join(', ')}, for example types=ip,domain`;
  },
  prefix(text, draft) {
    draft.prefix = text;
    return /^[A-Za-z][A-Za-z0-9_.]*$/.test(text) ? undefined : 'a letter, then letters, digits, "_" or ".", for example prefix=im_';
  },
  defang: booleanRule('defang'),
  expand: booleanRule('expand'),
  hosts: booleanRule('hosts'),
  max(text, draft) {
    draft.max = Number(text);
    return /^\d{1,6}$/.test(text) && draft.max >= 1 && draft.max <= MOST
      ? undefined
      : `a whole number of indicators, 1 to ${MOST}, for example max=100`;
  },
};

function booleanRule(name: 'defang' | 'expand' | 'hosts'): OptionRules<Draft>[string] {
  return (text, draft) => {
    const isWanted = toBoolean(text);
    draft[name] = isWanted === true;
    return isWanted === null ? 'true or false' : undefined;
  };
}

/** Reads the words after the command's name; without a field it reads `_raw`. Throws `UsageError` with every fault at once. */
export function readExtractOptions(words: TypedWords): ExtractWishes {
  const draft: Draft = { fields: [], types: null, prefix: 'im_', defang: false, expand: false, hosts: true, max: DEFAULT_MAX };
  const { fields, faults } = readOptionWords(words, { rules: RULES, draft, example: EXAMPLE, sample: 'types=ip,domain' });
  if (faults.length > 0) throw new UsageError(`isMalicious: ${faults.join('; ')}.`);
  return { ...draft, fields: fields.length === 0 ? [DEFAULT_FIELD] : fields };
}
