import * as z from 'zod/mini';
import { STATUSES } from '../model/enrichment.ts';
import { OVERRIDE_VERDICTS } from '../engine/feedback/overrides.ts';

const MAX_VALUES = 100;
const MAX_VALUE_CHARS = 4096;
const MAX_TEXT_CHARS = 500_000;
const MAX_DAYS = 3650;
const MAX_FEEDBACK_DAYS = 30;

const value = z
  .string()
  .check(
    z.minLength(1),
    z.maxLength(MAX_VALUE_CHARS),
    z.describe('An IP address, domain, URL, hash or e-mail address, as it stands in the alert; defanged (hxxp, [.]) is fine.'),
  );
const count = z.int().check(z.gte(0));

/** What the tools take. A member that is not named here is refused. */
export const TAKES = {
  check: z.strictObject({
    values: z.array(value).check(z.minLength(1), z.maxLength(MAX_VALUES), z.describe(`1 to ${MAX_VALUES} values.`)),
    cached_only: z.optional(z.boolean().check(z.describe('true: answer from what is known here; no source is asked, nothing is spent.'))),
  }),
  plan: z.strictObject({ values: z.array(value).check(z.minLength(1), z.maxLength(10_000)) }),
  extract: z.strictObject({
    text: z.string().check(z.maxLength(MAX_TEXT_CHARS), z.describe('A mail, alert, log or report; it stays in this program.')),
  }),
  explain: z.strictObject({ value }),
  who_met: z.strictObject({
    value,
    days: z.optional(z.int().check(z.gte(1), z.lte(MAX_DAYS), z.describe('How far back; left out: as the settings say.'))),
  }),
  overrule: z.strictObject({
    value,
    verdict: z.enum(OVERRIDE_VERDICTS),
    reason: z.string().check(z.minLength(10), z.maxLength(500), z.describe('Why, and which person decided so.')),
    days: z.optional(z.int().check(z.gte(1), z.lte(MAX_FEEDBACK_DAYS), z.describe('How long it counts; left out: 7 days.'))),
  }),
};

const session = z.object({ calls_left: count, credits_left: z.number() });
const judged = z.object({
  indicator: z.string(),
  type: z.nullable(z.string()),
  verdict: z.enum(['malicious', 'suspicious', 'clean', 'unknown']),
  status: z.enum(STATUSES),
  meaning: z.string(),
  score: z.nullable(z.number()),
  confidence: z.nullable(z.number()),
  tier: z.string(),
  answered_from: z.string(),
  checked_at: z.nullable(z.string()),
  sources: z.array(
    z.object({ provider: z.string(), status: z.string(), verdict: z.string(), score: z.nullable(z.number()), points: z.number() }),
  ),
  third_party_text: z.array(z.string()),
});
const perProvider = z.record(z.string(), z.nullable(z.number()));

/** What they give to programs. */
export const GIVES = {
  check: z.object({ results: z.array(judged), note: z.nullable(z.string()), session }),
  plan: z.object({
    values: count,
    unique: count,
    invalid: count,
    never_sent: count,
    local: count,
    cached: count,
    credits_to_pay: z.number(),
    credits_this_session_has: z.number(),
    lookups_by_provider: perProvider,
    credits_left_by_provider: perProvider,
    estimated_s: z.nullable(z.number()),
    session,
  }),
  extract: z.object({
    indicators: z.array(z.object({ type: z.string(), value: z.string(), times: count, first_offset: count })),
    truncated: z.boolean(),
    session,
  }),
  explain: z.object({ result: judged, reasons: z.array(z.string()), session }),
  who_met: z.object({
    indicator: z.string(),
    since: z.string(),
    index: z.enum(['searched', 'missing']),
    meaning: z.string(),
    assets: z.array(z.object({ asset: z.string(), times: count, first: z.string(), last: z.string() })),
    session,
  }),
  overrule: z.object({ indicator: z.string(), verdict: z.string(), until: z.nullable(z.string()), author: z.string(), session }),
};

/** What a tool takes, once checked. */
export type Takes<Name extends keyof typeof TAKES> = z.infer<(typeof TAKES)[Name]>;
