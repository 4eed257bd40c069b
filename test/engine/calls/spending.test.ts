import { describe, expect, it } from 'vitest';
import { createMemoryVerdictStore } from '../../../src/engine/cache/memory-verdict-store.ts';
import { StoreBusyError, type VerdictStore } from '../../../src/engine/cache/verdict-store.ts';
import { createJob } from '../../../src/engine/calls/jobs/job.ts';
import type { ClientLimits, ClientOptions } from '../../../src/engine/calls/provider-client.ts';
import { createSpending } from '../../../src/engine/calls/spending.ts';

const NOON_MS = Date.parse('2026-11-21T12:00:00Z');
const jobs = (count: number) => Array.from({ length: count }, (_, n) => createJob({ type: 'ipv4-addr', value: `8.8.8.${n}` }));

interface World {
  readonly cost?: number;
  readonly store?: VerdictStore;
  readonly shared?: object;
}

function open(limits: Partial<ClientLimits>, { cost = 1, store = createMemoryVerdictStore(null), shared }: World = {}) {
  const time = { monotonicMs: 1_000_000, epochMs: NOON_MS };
  const clock = { monotonicMs: () => time.monotonicMs, epochMs: () => time.epochMs };
  const spending = createSpending({
    provider: { id: 'p', cost },
    account: 'p',
    limits: { quotas: [], budgetPerDay: null, budgetPerMonth: null, ...limits },
    store,
    clock,
    shared,
  } as unknown as ClientOptions);
  const spent = () => [store.spent('p', '2026-11-21'), store.spent('p', '2026-11')];
  return { spending, time, store, spent };
}

describe('a budget', () => {
  it('pays down to the last credit, and not one more', () => {
    const { spending, spent } = open({ budgetPerDay: 3 });
    expect([spending.affordable(), spending.book(jobs(3)), spending.affordable()]).toEqual([3, null, 0]);
    expect(spending.book(jobs(1))).toMatchObject({ code: 'over_budget', message: 'p: the budget of 3 a day is used up' });
    expect(spent()).toEqual([3, 3]);
  });

  it('of a month that is used up takes nothing from the day', () => {
    const { spending, spent } = open({ budgetPerDay: 9, budgetPerMonth: 3 });
    expect([spending.affordable(), spending.book(jobs(2)), spending.affordable()]).toEqual([3, null, 1]);
    expect(spending.book(jobs(2))).toMatchObject({ code: 'over_budget', message: 'p: the budget of 3 a month is used up' });
    expect([spent(), spending.affordable()]).toEqual([[2, 2], 1]);
  });

  it('of a day that is used up takes nothing from the month', () => {
    const { spending, spent } = open({ budgetPerDay: 1, budgetPerMonth: 9 });
    expect(spending.book(jobs(2))?.code).toBe('over_budget');
    expect(spent()).toEqual([0, 0]);
  });

  it.each([
    [2, 5, 2, 4],
    [2, 4, 2, 4],
    [3, 2, 0, 0],
    [5, 5, 1, 5],
  ])('at %i credits a look-up, %i credits pay %i', (cost, budget, affordable, credits) => {
    const { spending, spent } = open({ budgetPerMonth: budget }, { cost });
    expect(spending.affordable()).toBe(affordable);
    expect(spending.book(jobs(affordable))).toBeNull();
    expect(spent()).toEqual([credits, credits]);
  });

  it('that was overspent by another process pays nothing', () => {
    const { spending, store } = open({ budgetPerDay: 3 });
    store.spend('p', '2026-11-21', 7, null);
    expect(spending.affordable()).toBe(0);
  });

  it('is counted by day and by month of the wall clock', () => {
    const { spending, time } = open({ budgetPerDay: 1, budgetPerMonth: 2 });
    const book = () => spending.book(jobs(1))?.code ?? 'booked';
    expect([book(), book()]).toEqual(['booked', 'over_budget']);
    time.epochMs += 86_400_000;
    expect([book(), book()]).toEqual(['booked', 'over_budget']);
    time.epochMs += 86_400_000;
    expect(book()).toBe('over_budget');
    time.epochMs = Date.parse('2026-12-01T00:00:00Z');
    expect(book()).toBe('booked');
  });

  it('is no matter where there is none, or look-ups cost nothing', () => {
    expect(open({}).spending.affordable()).toBe(Infinity);
    const free = open({ budgetPerDay: 0, budgetPerMonth: 0 }, { cost: 0 });
    expect([free.spending.affordable(), free.spending.book(jobs(4)), free.spent()]).toEqual([Infinity, null, [0, 0]]);
  });

  it('is not touched by a call for nobody', () => {
    const { spending, spent } = open({ quotas: [{ requests: 0, perMs: 1000 }], budgetPerDay: 0 });
    expect([spending.book([]), spent()]).toEqual([null, [0, 0]]);
  });
});

describe('an own limit', () => {
  const quotas = [{ requests: 2, perMs: 60_000 }];

  it('lets so many calls through, and says when the next one may go', () => {
    const { spending, time } = open({ quotas });
    expect([spending.bookCall(), spending.bookCall(), spending.bookCall()]).toEqual([0, 0, 60_000]);
    time.monotonicMs += 59_999;
    time.epochMs += 59_999;
    expect(spending.book(jobs(1))).toMatchObject({
      code: 'rate_limited',
      retryAfterMs: 1,
      message: 'p: own limit reached, free again in 1 s',
    });
    time.monotonicMs += 1;
    time.epochMs += 1;
    expect([spending.bookCall(), spending.bookCall(), spending.bookCall()]).toEqual([0, 0, 60_000]);
  });

  it('says whole seconds, rounded up', () => {
    const { spending, time } = open({ quotas });
    spending.book(jobs(2));
    spending.book(jobs(1));
    time.monotonicMs += 58_500;
    time.epochMs += 58_500;
    expect(spending.book(jobs(1))?.message).toBe('p: own limit reached, free again in 2 s');
  });

  it('of several the longest wait holds, and every call is kept as long as the longest looks back', () => {
    const { spending, time } = open({
      quotas: [
        { requests: 1, perMs: 1000 },
        { requests: 2, perMs: 60_000 },
      ],
    });
    expect([spending.bookCall(), spending.bookCall()]).toEqual([0, 1000]);
    time.monotonicMs += 1000;
    // The shared times seem to be long ago.
    time.epochMs += 86_400_000;
    expect([spending.bookCall(), spending.bookCall()]).toEqual([0, 59_000]);
  });

  it('holds over processes that share a store', () => {
    const store = createMemoryVerdictStore(null);
    const [one, other] = [open({ quotas }, { store }), open({ quotas }, { store })];
    expect([one.spending.bookCall(), other.spending.bookCall(), one.spending.bookCall()]).toEqual([0, 0, 60_000]);
  });

  it('a call that is refused for it is not paid', () => {
    const { spending, spent } = open({ quotas: [{ requests: 1, perMs: 1000 }], budgetPerDay: 9 });
    expect([spending.book(jobs(1)), spending.book(jobs(1))?.code, spent()]).toEqual([null, 'rate_limited', [1, 1]]);
  });

  it('a call within the budget is paid by each look-up it carries, and counts as one', () => {
    const { spending, spent } = open({ quotas });
    expect([spending.book(jobs(5)), spending.book(jobs(5)), spent()]).toEqual([null, null, [10, 10]]);
  });
});

it('a store that is busy makes the look-up wait; any other fault is not hidden', () => {
  const busy = {
    ...createMemoryVerdictStore(null),
    spend: () => {
      throw new StoreBusyError(250);
    },
  };
  expect(open({}, { store: busy }).spending.book(jobs(1))).toMatchObject({ code: 'rate_limited', retryAfterMs: 250 });
  const broken = {
    ...createMemoryVerdictStore(null),
    spend: () => {
      throw new Error('no disk');
    },
  };
  expect(() => open({}, { store: broken }).spending.book(jobs(1))).toThrow('no disk');
});

describe('while Redis is away', () => {
  const quotas = [{ requests: 9, perMs: 60_000 }];
  function alone(share: object | null) {
    const told: unknown[] = [];
    const shared = {
      ownShare: () => share,
      calledAlone: (...what: unknown[]) => void told.push(['called', what[1]]),
      paidAlone: (...what: unknown[]) => void told.push(['paid', what[1]]),
      claim: (request: unknown) => Promise.resolve(void told.push(['claim', request])),
    };
    return { ...open({ quotas, budgetPerDay: 9, budgetPerMonth: 9 }, { shared }), told };
  }

  it('our share of the limit holds, each call and credit is told to it, and a wait is looked at again after a second', () => {
    const { spending, told } = alone({ windows: [{ requests: 2, perMs: 60_000 }], waitMs: 0, budgets: [3, 9], paid: [1, 1] });
    expect([spending.bookCall(), spending.bookCall(), spending.bookCall()]).toEqual([0, 0, 1000]);
    expect(told).toEqual([
      ['called', NOON_MS],
      ['called', NOON_MS],
    ]);
    expect(spending.book(jobs(1))).toMatchObject({
      code: 'rate_limited',
      retryAfterMs: 1000,
      message: 'p: Redis is away, and our share of the limit is used up',
    });
  });

  it('a wait that is shorter than a second is waited for as it is', () => {
    const { spending } = alone({ windows: quotas, waitMs: 400, budgets: [9, 9], paid: [0, 0] });
    expect(spending.bookCall()).toBe(400);
  });

  it('what is left of the budgets is what our share has left', () => {
    const { spending, told } = alone({ windows: quotas, waitMs: 0, budgets: [3, 9], paid: [1, 1] });
    expect(spending.affordable()).toBe(2);
    expect(spending.book(jobs(2))).toBeNull();
    expect(told).toEqual([
      ['called', NOON_MS],
      ['paid', 2],
    ]);
    expect(spending.book(jobs(3))?.message).toBe('p: the budget of 9 a day is used up, as far as it is ours while Redis is away');
  });

  it('nothing of that where it is there', async () => {
    const { spending, told } = alone(null);
    expect([spending.book(jobs(1)), spending.affordable(), told]).toEqual([null, 8, []]);
    expect(await spending.bookShared()).toBe(0);
    expect(told).toEqual([['claim', expect.objectContaining({ provider: 'p', wanted: [], leaseMs: 0, cost: 0 })]]);
  });
});

it('without limits of our own no call is counted', () => {
  const { spending, store } = open({});
  let booked = 0;
  store.book = () => (booked++, 0);
  expect([spending.bookCall(), booked]).toEqual([0, 0]);
});
