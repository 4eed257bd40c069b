import { ENRICH_DEADLINE_MS } from './deadline.ts';
import { type Assistant, type Session, type ToolAnswer, type ToolCall, ToolRefusal } from './assistant.ts';
import type { Enrichment } from '../model/enrichment.ts';
import { toExplainLine } from '../mapping/explain-line.ts';
import { fenced, inertData } from './inert-data.ts';
import { judgedOf } from './judged.ts';
import type { Takes } from './schemas.ts';

/** What is left of the session, with every answer. */
export function leftOf({ budget, callsLeft }: Session) {
  return { calls_left: callsLeft, credits_left: budget.remaining };
}

async function ask(
  { enricher }: Assistant,
  values: readonly string[],
  { session, signal }: Pick<ToolCall<unknown>, 'session' | 'signal'>,
  isCachedOnly: boolean,
): Promise<Enrichment[]> {
  const found = await enricher.enrichMany(values, {
    signal,
    timeoutMs: ENRICH_DEADLINE_MS,
    budget: session.budget,
    ...(isCachedOnly ? { mode: 'cache' } : {}),
  });
  return values.map((value) => {
    const one = found.get(value);
    if (one === undefined) throw new Error('the engine answers every value');
    return one;
  });
}

/** `check`: the verdict on values. */
export async function check(assistant: Assistant, call: ToolCall<Takes<'check'>>): Promise<ToolAnswer> {
  const { values, cached_only: isCachedOnly = false } = call.args;
  const results = (await ask(assistant, [...new Set(values)], call, isCachedOnly)).map((one) =>
    judgedOf(one, isCachedOnly && isNotKnownHere(one) ? NOT_KNOWN_HERE : undefined),
  );
  const session = leftOf(call.session);
  const lines = results.map(({ indicator, type, meaning, sources }) =>
    [
      `${JSON.stringify(indicator)} (${type ?? 'no indicator'}): ${meaning}`,
      ...(sources.length === 0 ? [] : [`  sources: ${sources.map(sourceWords).join('; ')}`]),
    ].join('\n'),
  );
  const others = results.flatMap(({ indicator, third_party_text: texts }) => texts.map((text) => `${indicator}: ${text}`));
  const text = [...lines, ...(assistant.note === null ? [] : [assistant.note]), leftWords(session), fenced(others)];
  return { text: joined(text), structured: { results, note: assistant.note, session } };
}

const NOT_KNOWN_HERE = 'UNKNOWN, which is not clean: nothing is known of it here, and with cached_only no source is asked.';

/** What the cache alone says of a value it does not hold. */
function isNotKnownHere({ answer }: Enrichment): boolean {
  return answer.verdict === 'unknown' && answer.status === 'over_budget';
}

function sourceWords({ provider, status, verdict, score }: ReturnType<typeof judgedOf>['sources'][number]): string {
  if (status === 'not_listed') return `${provider} does not list it`;
  return status === 'ok' ? `${provider} says ${verdict}${score === null ? '' : ` (${score})`}` : `${provider} gave no verdict (${status})`;
}

/** `plan`: what a check would cost. */
export async function plan({ enricher }: Assistant, { args, session }: ToolCall<Takes<'plan'>>): Promise<ToolAnswer> {
  const cost = await enricher.plan(args.values);
  const left = leftOf(session);
  const structured = {
    values: cost.values,
    unique: cost.unique,
    invalid: cost.invalid,
    never_sent: cost.refused,
    local: cost.local,
    cached: cost.cached,
    credits_to_pay: cost.toPay,
    credits_this_session_has: session.budget.remaining,
    lookups_by_provider: cost.byProvider,
    credits_left_by_provider: cost.creditsLeft,
    estimated_s: cost.estimatedS,
    session: left,
  };
  const short = cost.toPay > session.budget.remaining ? ' More than this session may spend: check would leave some of them unasked.' : '';
  const text = `${cost.toPay} credits to pay for ${cost.unique} values; ${cost.cached} are known already, ${cost.refused} are never sent, ${cost.invalid} are not indicators.${short}`;
  return { text: joined([text, leftWords(left)]), structured };
}

/** `explain`: how a score came about, from what is known here. */
export async function explain(assistant: Assistant, call: ToolCall<Takes<'explain'>>): Promise<ToolAnswer> {
  const [found] = await ask(assistant, [call.args.value], call, true);
  if (found === undefined) throw new Error('the engine answers every value');
  if (isNotKnownHere(found))
    throw new ToolRefusal('Nothing is known of it here yet, which is not clean: ask with check first. explain spends nothing.');
  const result = judgedOf(found);
  const reasons = [toExplainLine(found.answer), ...(assistant.enricher.explain?.(found) ?? [])].map((line) => inertData(line));
  const session = leftOf(call.session);
  const others = result.third_party_text.map((text) => `${result.indicator}: ${text}`);
  const text = [
    `${JSON.stringify(result.indicator)}: ${result.meaning}`,
    ...reasons.map((line) => `  ${line}`),
    leftWords(session),
    fenced(others),
  ];
  return { text: joined(text), structured: { result, reasons, session } };
}

/** What is left, in words. */
export function leftWords({ calls_left: calls, credits_left: credits }: ReturnType<typeof leftOf>): string {
  return `Left in this session: ${calls} calls, ${credits} credits.`;
}

/** Parts that are not empty, below each other. */
export function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n');
}
