import type { EnrichOptions } from '../../../engine/enricher.ts';
import { toSplunkCells } from '../../../mapping/splunk.ts';
import type { Enrichment, ProviderResult } from '../../../model/enrichment.ts';
import type { RowOptions } from '../../../rows/row-options.ts';
import { readCommandOptions } from './command-options.ts';
import type { CommandContext } from './command-context.ts';
import { converseGenerating } from '../protocol/generating-conversation.ts';
import type { GeneratedTable } from '../protocol/generating-conversation.ts';
import type { OpenedEngineForSearch } from '../memory/engine-for-search.ts';
import { UsageError } from '../../../splunkd/option-words.ts';
import type { SearchContext } from '../protocol/search-conversation.ts';

/** What `| ismaliciouscheck` asks for. */
export interface CheckOptions {
  readonly values: readonly string[];
  readonly asked: RowOptions;
}

/** Opens the engine for a search. */
export type OpenForCheck = (
  search: SearchContext,
  providers: readonly string[] | null,
  profile?: string,
) => Promise<
  Pick<OpenedEngineForSearch, 'warnings'> & { readonly engine: Pick<OpenedEngineForSearch['engine'], 'enrichMany' | 'explain' | 'close'> }
>;

/** Columns of `| ismaliciouscheck`: `provider` is `merged` in the first row of each value. */
export const CHECK_FIELDS = [
  'value',
  'provider',
  'im_indicator',
  'im_type',
  'im_verdict',
  'im_malicious',
  'im_score',
  'im_confidence',
  'im_category',
  'im_status',
  'im_tier',
  'im_auto_resolve',
  'im_source',
  'im_sightings',
  'im_first_seen',
  'im_last_seen',
  'im_reference',
  'im_contribution',
  'im_message',
  'im_explain',
] as const;

const MAX_VALUES = 1000;
const EXAMPLE = '| ismaliciouscheck value=198.51.100.7';
const OPTIONS = ['providers', 'mode', 'timeout', 'max_age', 'budget', 'tlp', 'profile'];

/** Reads `value=…` (several times, or several values in one) and the options that make sense here. Throws `UsageError`. */
export function readCheckOptions(args: readonly string[]): CheckOptions {
  const values: string[] = [];
  const rest: string[] = [];
  let isNamed = false;
  for (const arg of args) {
    const [, name = '', text = ''] = /^\s*([a-z_]*)\s*=([^]*)$/i.exec(arg) ?? [];
    if (name.toLowerCase() === 'value') {
      isNamed = true;
      values.push(...text.split(/[\s,]+/).filter((word) => word !== ''));
    } else if (OPTIONS.includes(name.toLowerCase())) rest.push(arg);
    else
      throw new UsageError(
        `isMalicious: "${arg.slice(0, 60)}" is not understood; it takes value=… and ${OPTIONS.join(', ')}, for example ${EXAMPLE}.`,
      );
  }
  // A page whose input is still empty asks about nothing: that is no fault.
  if (!isNamed) throw new UsageError(`isMalicious: no value given, for example ${EXAMPLE}.`);
  if (values.length > MAX_VALUES) throw new UsageError(`isMalicious: ${values.length} values; at most ${MAX_VALUES} are checked at once.`);
  const asked = readCommandOptions(['value', ...rest]);
  if (asked.mode === 'plan') throw new UsageError('isMalicious: mode="plan" is for | ismalicious; here it is enrich or cache.');
  return { values: [...new Set(values)], asked };
}

/** Answers `| ismaliciouscheck`: one row of the merged answer for each value, then one for each provider. */
export function answerCheck(world: CommandContext, open: OpenForCheck): Promise<number> {
  return converseGenerating<CheckOptions>(world, {
    read: readCheckOptions,
    async generate({ values, asked }, search, signal): Promise<GeneratedTable> {
      if (values.length === 0)
        return { fields: CHECK_FIELDS, rows: [], messages: [['INFO', 'isMalicious: no value was given, so nothing was looked up.']] };
      const { engine, warnings } = await open(search, asked.providers, asked.profile);
      try {
        const found = await engine.enrichMany(values, toEnrichOptions(asked, signal));
        const enrichments = values.flatMap((value) => found.get(value) ?? []);
        return {
          fields: CHECK_FIELDS,
          rows: enrichments.flatMap((enrichment) => rowsOf(enrichment, engine.explain(enrichment))),
          messages: warnings.map((warning) => ['WARN', `isMalicious: ${warning}`] as const),
        };
      } finally {
        await engine.close();
      }
    },
  });
}

function toEnrichOptions({ timeoutMs, maxAgeS, providers, mode, budget, tlp }: RowOptions, signal: AbortSignal): EnrichOptions {
  return {
    timeoutMs,
    signal,
    mode: mode === 'cache' ? 'cache' : 'enrich',
    ...(maxAgeS === null ? {} : { maxAgeS }),
    ...(providers === null ? {} : { providers }),
    ...(budget === null ? {} : { budget: { remaining: budget } }),
    ...(tlp === undefined ? {} : { tlp }),
  };
}

function rowsOf(enrichment: Enrichment, reasons: readonly string[]): string[][] {
  return [mergedRow(enrichment, reasons), ...enrichment.answer.providers.map((result) => providerRow(enrichment, result))];
}

function mergedRow(enrichment: Enrichment, reasons: readonly string[]): string[] {
  const [verdict = '', malicious = '', score = '', confidence = '', category = '', status = '', tier = '', autoResolve = '', ...more] =
    toSplunkCells(enrichment, 'value');
  const [source = '', type = '', indicator = '', , , reference = '', firstSeen = '', lastSeen = '', message = ''] = more;
  const { sightings } = enrichment.answer;
  const judged = [verdict, malicious, score, confidence, category, status, tier, autoResolve, source];
  const told = [toCell(sightings), firstSeen, lastSeen, reference, score, message, reasons.join('; ')];
  return [enrichment.input, 'merged', indicator, type, ...judged, ...told];
}

function providerRow({ input, indicator }: Enrichment, result: ProviderResult): string[] {
  const isAnswer = result.status === 'ok';
  const malicious = !isAnswer || result.verdict === 'unknown' ? '' : result.verdict === 'malicious' ? 'True' : 'False';
  const judged = [result.verdict, malicious, toCell(result.score), toCell(result.confidence), result.categories.join(', '), result.status];
  const told = [toCell(result.sightings), result.firstSeen ?? '', result.lastSeen ?? '', result.reference ?? ''];
  const share = isAnswer ? String(result.contribution) : '';
  return [
    input,
    result.provider,
    indicator?.value ?? '',
    indicator?.type ?? '',
    ...judged,
    '',
    '',
    '',
    ...told,
    share,
    result.message ?? '',
    '',
  ];
}

function toCell(value: number | null): string {
  return value === null ? '' : String(value);
}
