import { expect, it } from 'vitest';
import { newStateFolder, openTestEngine, publicAddresses } from '../../support/open-test-engine.ts';
import { healthy, sendJson, startStandIn, type StandInReply } from '../../support/stand-in-api.ts';

const WINDOW_MS = 1000;

/** Takes `limit` calls in each window, refuses more, and says with each answer what is left. */
function limited(limit: number): { readonly reply: StandInReply; readonly refused: () => number } {
  let [endsMs, left, refused] = [0, 0, 0];
  const reply: StandInReply = (call, response, attempt) => {
    const nowMs = Date.now();
    if (nowMs >= endsMs) [endsMs, left] = [nowMs + WINDOW_MS, limit];
    response.setHeader('x-ratelimit-limit', String(limit));
    response.setHeader('x-ratelimit-reset', String(endsMs));
    response.setHeader('x-ratelimit-remaining', String(Math.max(0, left - 1)));
    if (left === 0) {
      refused++;
      return sendJson(response, 429, { error: 'Rate limit exceeded' }, { 'retry-after': '1' });
    }
    left--;
    return healthy(call, response, attempt);
  };
  return { reply, refused: () => refused };
}

it.each([12, 40])('a limit of %i a second that the provider names with its answers is never gone beyond', async (limit) => {
  const { reply, refused } = limited(limit);
  await using api = await startStandIn(reply);
  const { engine } = await openTestEngine(api.url, { ISMALICIOUS_STATE_DIR: newStateFolder(), ISMALICIOUS_BULK: 'false' });
  const values = publicAddresses(limit * 3);
  const found = await engine.enrichMany(values, { timeoutMs: 50_000 });
  await engine.close();
  expect([...found.values()].filter(({ answer }) => answer.status !== 'ok')).toEqual([]);
  expect(api.calls).toHaveLength(values.length);
  expect(refused()).toBe(0);
});
