import * as z from 'zod/mini';
import { isFailure } from '../../model/enrichment.ts';
import type { Splunkd } from '../splunkd.ts';
import type { AlertPayload } from './alert-payload.ts';
import { ACTION, type TriagedResult } from './triage-writes.ts';
import { chunksOf } from '../../model/tables/chunks.ts';

/** The same change to several notable events of Enterprise Security. */
export interface NotableUpdate {
  readonly eventIds: readonly string[];
  readonly comment: string;
}

/** What is to be changed, and how many of the wanted results name no notable event. */
export interface NotablePlan {
  readonly updates: readonly NotableUpdate[];
  readonly events: number;
  readonly unnamed: number;
  /** Notable events beyond the bound. */
  readonly leftOut: number;
}

const UpdateAnswer = z.object({ success: z.boolean(), message: z.optional(z.string()), success_count: z.optional(z.number()) });

/** The id of a notable event: `<guid>@@notable@@<hash>`. */
const NOTABLE_ID = /^[\w.-]+@@[\w.-]+@@[\w.-]+$/;
const MAX_CALLS = 500;
const MAX_IDS = 100;
const MAX_COMMENT_CHARS = 1000;

/** The notable events behind the results whose tier asks for it, those with the same comment together. */
export function planNotables(triaged: readonly TriagedResult[], { params }: AlertPayload): NotablePlan {
  if (!params.notable) return { updates: [], events: 0, unnamed: 0, leftOut: 0 };
  const wanted = triaged.filter(({ decision }) => params.notableTiers.includes(decision.tier));
  const byComment = new Map<string, Set<string>>();
  let unnamed = 0;
  for (const { result, decision } of wanted) {
    const id = [result['event_id'], result['rule_id']].find((value) => typeof value === 'string' && NOTABLE_ID.test(value));
    if (typeof id !== 'string') unnamed++;
    else {
      const comment = `isMalicious: ${decision.note}`.slice(0, MAX_COMMENT_CHARS);
      byComment.set(comment, (byComment.get(comment) ?? new Set()).add(id));
    }
  }
  const updates = [...byComment].flatMap(([comment, ids]) => chunksOf([...ids], MAX_IDS).map((eventIds) => ({ eventIds, comment })));
  const [taken, left] = [updates.slice(0, MAX_CALLS), updates.slice(MAX_CALLS)];
  return { updates: taken, events: countEvents(taken), unnamed, leftOut: countEvents(left) };
}

/** Changes status and owner where the parameters name one, and adds the comment. Answers how many events were changed, and what failed. */
export async function updateNotables(
  { updates, events }: NotablePlan,
  splunkd: Splunkd,
  { params }: AlertPayload,
): Promise<{ readonly updated: number; readonly faults: string[] }> {
  let updated = 0;
  const reasons = new Set<string>();
  for (const { eventIds, comment } of updates) {
    try {
      updated += await updateOnce(splunkd, formOf(eventIds, comment, params), eventIds.length);
    } catch (error) {
      reasons.add(error instanceof Error ? error.message : 'unknown fault');
    }
  }
  const missing = events - updated;
  if (missing <= 0) return { updated, faults: [] };
  const why = [...reasons].join('; ') || 'Enterprise Security refused them';
  return { updated, faults: [`${missing} of ${events} notable events not updated: ${why}`] };
}

/** As `POST /services/notable_update` takes it; what is left out stays as it is. */
function formOf(eventIds: readonly string[], comment: string, { notableStatus, notableOwner }: AlertPayload['params']): URLSearchParams {
  const form = new URLSearchParams({ comment, output_mode: 'json' });
  for (const id of eventIds) form.append('ruleUIDs', id);
  if (notableStatus !== null) form.set('status', notableStatus);
  if (notableOwner !== null) form.set('newOwner', notableOwner);
  return form;
}

async function updateOnce(splunkd: Splunkd, form: URLSearchParams, wanted: number): Promise<number> {
  const answer = await splunkd.request({
    path: '/services/notable_update',
    method: 'POST',
    body: form.toString(),
    type: 'application/x-www-form-urlencoded',
    needs: 'edit_notable_events',
  });
  // It answers 200 also where it refuses: `success` says so, `success_count` how many it took.
  const { success, message, success_count: count } = UpdateAnswer.safeParse(answer).data ?? { success: false };
  if (!success) throw new Error(`Enterprise Security did not take it (${message?.slice(0, 200) ?? 'it did not say why'})`);
  return Math.min(count ?? wanted, wanted);
}

/**
 * What Enterprise Security shows as the results of adaptive response: one line for each result, in the form of the Common Information
 * Model's `sendmodaction`. `hasFaults`: something that the action was to do failed.
 */
export function responseLines(
  triaged: readonly TriagedResult[],
  payload: AlertPayload,
  at: { nowMs: number; hasFaults: boolean },
): string[] {
  const time = new Date(at.nowMs).toISOString().replace('T', ' ').replace('Z', '+0000').replace('.', ',');
  return triaged.map(({ result, decision, enrichment }, n) => {
    const isFailed = at.hasFaults || (enrichment !== null && isFailure(enrichment.answer.status));
    const pairs = {
      worker: textOf(result['host']) || 'search_head',
      signature: `Triage: tier ${decision.tier}, verdict ${decision.verdict}, look-up ${decision.status}`,
      action_name: ACTION,
      search_name: payload.searchName,
      sid: payload.sid,
      rid: textOf(result['rid']) || String(n),
      orig_sid: textOf(result['orig_sid']),
      orig_rid: textOf(result['orig_rid']),
      app: payload.app,
      user: payload.owner,
      digest_mode: '1',
      action_mode: payload.searchName === '' ? 'adhoc' : 'saved',
      action_status: isFailed ? 'failure' : 'success',
    };
    const words = Object.entries(pairs).map(([name, value]) => `${name}="${quotable(value)}"`);
    return `${time} ${isFailed ? 'ERROR' : 'INFO'} sendmodaction - ${words.join(' ')}`;
  });
}

function quotable(text: string): string {
  return text.replaceAll(/["\\]/g, "'").replaceAll(/\s+/g, ' ');
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function countEvents(updates: readonly NotableUpdate[]): number {
  return updates.reduce((sum, { eventIds }) => sum + eventIds.length, 0);
}
