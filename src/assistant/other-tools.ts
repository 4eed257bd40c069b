import { extractFromText } from '../extract/extract.ts';
import { giveFeedback } from '../engine/feedback/give-feedback.ts';
import { MAX_AUTHOR_CHARS } from '../engine/feedback/overrides.ts';
import { defang } from '../model/defang.ts';
import { parseIndicator } from '../model/parse-indicator.ts';
import { type Assistant, type ToolAnswer, type ToolCall, ToolRefusal } from './assistant.ts';
import { fenced, inertData } from './inert-data.ts';
import { isoOfSeconds } from './iso-of-seconds.ts';
import { nameOf } from './judged.ts';
import { joined, leftOf, leftWords } from './look-up-tools.ts';
import type { Takes } from './schemas.ts';

const DAY_S = 86_400;
const MAX_FOUND = 500;
const MAX_ASSETS = 200;
const FEEDBACK_DAYS = 7;

/** `extract`: the indicators of a text, each once. Nobody is asked. */
export async function extract(_: Assistant, { args, session }: ToolCall<Takes<'extract'>>): Promise<ToolAnswer> {
  const found = new Map<string, { type: string; value: string; times: number; first_offset: number }>();
  for (const { type, value, offset } of extractFromText(args.text)) {
    const key = `${type} ${value}`;
    const known = found.get(key);
    if (known) known.times += 1;
    else found.set(key, { type, value: inertData(defang({ type, value })), times: 1, first_offset: offset });
  }
  const indicators = [...found.values()].slice(0, MAX_FOUND);
  const left = leftOf(session);
  const isTruncated = found.size > MAX_FOUND;
  const text =
    found.size === 0
      ? 'No indicators found. That says nothing about the text itself.'
      : `${found.size} indicators found${isTruncated ? `, the first ${MAX_FOUND} are shown` : ''}. They are unjudged: check says what is known of them.`;
  const lines = indicators.map(({ type, value, times }) => `${type} ${value}${times === 1 ? '' : ` (${times} times)`}`);
  return { text: joined([text, leftWords(left), fenced(lines)]), structured: { indicators, truncated: isTruncated, session: left } };
}

/** `who_met`: which of our machines and users were seen with a value, by the sighting index. Nobody is asked. */
export async function whoMet(assistant: Assistant, { args, session }: ToolCall<Takes<'who_met'>>): Promise<ToolAnswer> {
  const parsed = parseIndicator(args.value);
  if (parsed.kind === 'invalid') throw new ToolRefusal(`This is not an indicator: the value ${inertData(parsed.reason)}.`);
  const sinceS = assistant.nowS() - (args.days ?? assistant.lookBackDays) * DAY_S;
  const store = await assistant.store();
  const seen = store === null ? [] : await store.whoSaw(parsed.indicator.value, sinceS, MAX_ASSETS);
  const assets = seen.map(({ asset, times, firstS, lastS }) => ({
    asset: inertData(asset),
    times,
    first: isoOfSeconds(firstS),
    last: isoOfSeconds(lastS),
  }));
  const indicator = nameOf({ indicator: parsed.indicator, input: args.value });
  const meaning = metWords(store === null, assets.length);
  const left = leftOf(session);
  const lines = assets.map(({ asset, times, first, last }) => `${asset}: ${times} times, ${first} to ${last}`);
  const index = store === null ? 'missing' : 'searched';
  return {
    text: joined([`${JSON.stringify(indicator)}: ${meaning}`, leftWords(left), fenced(lines)]),
    structured: { indicator, since: isoOfSeconds(sinceS), index, meaning, assets, session: left },
  };
}

function metWords(isMissing: boolean, count: number): string {
  if (isMissing) return 'UNKNOWN: there is no sighting index here, so nothing was searched. That does not mean that no machine met it.';
  if (count === 0)
    return 'No sighting is noted in that time. Only events that went through this pack are noted: it does not prove that no machine met it.';
  return count >= MAX_ASSETS ? `At least ${count} assets met it; more are not shown.` : `${count} assets met it.`;
}

/** `overrule`: notes a person's decision. Counts for a few days only, and under the client's name. */
export async function overrule(assistant: Assistant, { args, session }: ToolCall<Takes<'overrule'>>): Promise<ToolAnswer> {
  const author = `assistant ${inertData(session.clientName(), MAX_AUTHOR_CHARS / 2)}`;
  const forS = (args.days ?? FEEDBACK_DAYS) * DAY_S;
  const { value, verdict, reason } = args;
  const taken = await giveFeedback(
    { value, verdict, reason: inertData(reason, reason.length), author, forS },
    assistant.feedback,
    assistant.enricher,
    assistant.nowS(),
  );
  if (typeof taken === 'string') throw new ToolRefusal(`Nothing was noted: ${inertData(taken)}.`);
  const until = taken.untilS === null ? null : isoOfSeconds(taken.untilS);
  const indicator = nameOf({ indicator: { type: taken.type, value: taken.value }, input: value });
  const left = leftOf(session);
  return {
    text: joined([`${JSON.stringify(indicator)} counts as ${taken.verdict} until ${until ?? 'it is taken back'}.`, leftWords(left)]),
    structured: { indicator, verdict: taken.verdict, until, author: taken.author, session: left },
  };
}
