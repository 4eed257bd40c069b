import { expect, it } from 'vitest';
import { type CallState, nextStep } from '../../../src/engine/calls/next-step.ts';
import { LookupError, type LookupErrorCode } from '../../../src/model/lookup-error.ts';

interface Facts {
  readonly refused?: LookupErrorCode;
  readonly state?: 'closed' | 'open' | 'probe';
  readonly hasContact?: boolean;
  readonly paceMs?: number;
  readonly atOnce?: number;
  readonly dueMs?: number | null;
}

const NOW_MS = 1000;

function stateOf({ refused, state = 'closed', hasContact = true, paceMs = 0, atOnce = 10, dueMs = null }: Facts): CallState {
  const standing = refused ? { error: new LookupError(refused, 'p', 'no'), untilMs: 9000 } : null;
  return {
    refusals: { standing: () => standing },
    breaker: { state: () => state, reopensAtMs: 1700 },
    reach: { hasContact, bulkCap: 0 },
    pacer: { waitMs: () => paceMs, allowance: { atOnce } },
    queue: { nextDueMs: () => dueMs },
    concurrency: 4,
  } as unknown as CallState;
}

it.each<[string, Facts, number, object]>([
  ['a refused key ends all look-ups', { refused: 'unauthorized' }, 0, { does: 'fail-all', error: { code: 'unauthorized' } }],
  ['so does a used-up quota, whatever the breaker says', { refused: 'quota_exhausted', state: 'open' }, 0, { does: 'fail-all' }],
  ['a wait that was asked for does not', { refused: 'rate_limited' }, 0, { does: 'call', isProbe: false }],
  ['nor a host that is down', { refused: 'unavailable' }, 0, { does: 'call', isProbe: false }],
  ['an open breaker is waited for', { state: 'open', paceMs: 5 }, 0, { does: 'wait', waitMs: 700 }],
  ['one call tries when it lets one', { state: 'probe' }, 0, { does: 'call', isProbe: true }],
  ['and no second one beside it', { state: 'probe' }, 1, { does: 'none' }],
  ['one call goes out until a first answer came', { hasContact: false }, 0, { does: 'call', isProbe: false }],
  ['and no second one', { hasContact: false }, 1, { does: 'none' }],
  ['then as many as may be', {}, 3, { does: 'call', isProbe: false }],
  ['and no more', {}, 4, { does: 'none' }],
  ['fewer while the limit is not known', { atOnce: 2 }, 1, { does: 'call', isProbe: false }],
  ['and no more than that', { atOnce: 2 }, 2, { does: 'none' }],
  ['not even when some are too many', {}, 5, { does: 'none' }],
  ['the pace is kept', { paceMs: 0.5, dueMs: 1003 }, 0, { does: 'wait', waitMs: 0.5 }],
  ['what is to be tried again later is waited for', { dueMs: 1003 }, 0, { does: 'wait', waitMs: 3 }],
])('%s', (_name, facts, inFlight, step) => {
  expect(nextStep(stateOf(facts), inFlight, NOW_MS)).toMatchObject(step);
});
