import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { epochS, systemClock } from '../../../src/engine/clock.ts';
import { isInForce, type Override } from '../../../src/engine/feedback/overrides.ts';
import { openFeedbackStore } from '../../../src/engine/feedback/feedback-store.ts';
import { giveFeedback } from '../../../src/engine/feedback/give-feedback.ts';
import { runProgram } from '../../../src/hosts/cli/program.ts';
import { openEngine } from '../../../src/compose/open-engine.ts';
import { addFeedbackRoute } from '../../../src/hosts/sidecar/routes/feedback-route.ts';
import { startFourProviders } from '../../support/four-providers.ts';
import { newStateFolder } from '../../support/open-test-engine.ts';

const VALUE = '11.0.0.1';
const nowS = () => epochS(systemClock);
const given = { value: VALUE, verdict: 'clean', author: 'jane', reason: 'our scanner', forS: 3600 };

async function runCli(args: readonly string[], env: Record<string, string>) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const io = { stdin: new PassThrough().end(), stdout: out, stderr: err, env, hasColor: false, hasProgress: false };
  const code = await runProgram(args, io);
  return { code, stdout: String(out.read() ?? ''), stderr: String(err.read() ?? '') };
}

describe('an override', () => {
  it('counts instead of what providers say, is shown as such, and can be taken back', async () => {
    await using four = await startFourProviders();
    const { engine, feedback } = await openEngine({ env: four.env() });
    const look = async () => (await engine.enrichMany([VALUE], { timeoutMs: 4000 })).get(VALUE)!.answer;
    expect(await look()).toMatchObject({ verdict: 'malicious', tier: 'p1' });
    const taken = await giveFeedback(given, feedback, engine, nowS());
    expect(taken).toMatchObject({ saidVerdict: 'malicious', verdict: 'clean', score: 0 });
    const answer = await look();
    expect(answer).toMatchObject({ verdict: 'clean', score: 0, confidence: 100, tier: 'log', status: 'ok' });
    expect(answer.message).toMatch(/^decided by jane on \d{4}-\d\d-\d\d, until \d{4}-\d\d-\d\d: our scanner$/);
    expect(answer.attributes).toContain('override');
    expect(answer.providers[0]).toMatchObject({ provider: 'feedback', status: 'ok', verdict: 'clean', score: 0 });
    expect(answer.providers.slice(1).map(({ verdict, contribution }) => [verdict, contribution])).toEqual(
      Array.from({ length: 4 }, () => ['malicious', 0]),
    );
    expect(feedback.remove(VALUE, 'joe', nowS())).toBe(true);
    expect(feedback.remove(VALUE, 'joe', nowS())).toBe(false);
    expect(await look()).toMatchObject({ verdict: 'malicious', message: null });
    await engine.close();
  });

  it('makes malicious what nobody lists, also a value that never leaves the house', async () => {
    const { engine, feedback } = await openEngine({ env: { ISMALICIOUS_STATE_DIR: newStateFolder() } });
    await giveFeedback({ ...given, value: '10.1.2.3', verdict: 'malicious' }, feedback, engine, nowS());
    const answer = (await engine.enrichMany(['10.1.2.3'])).get('10.1.2.3')!.answer;
    expect(answer).toMatchObject({ verdict: 'malicious', score: 95, tier: 'p1', autoResolve: false });
    expect(answer.providers.map(({ contribution }) => contribution)).toEqual([95]);
    await engine.close();
  });

  it('that calls clean what it scores high is refused; one from before counts as clean through and through', async () => {
    const { engine, feedback } = await openEngine({ env: { ISMALICIOUS_STATE_DIR: newStateFolder() } });
    expect(await giveFeedback({ ...given, score: 40 }, feedback, engine, nowS())).toMatch(/^score of a clean value has to be 0 to 39/);
    expect(await giveFeedback({ ...given, score: 39 }, feedback, engine, nowS())).toMatchObject({ score: 39 });
    const stored = { value: VALUE, type: 'ipv4-addr' as const, verdict: 'clean' as const, score: 100, author: 'jane', reason: 'x' };
    feedback.add({ ...stored, atS: nowS(), untilS: null, saidVerdict: null, saidScore: null });
    const { answer } = (await engine.enrichMany([VALUE])).get(VALUE)!;
    expect(answer).toMatchObject({ verdict: 'clean', score: 39, tier: 'log' });
    await engine.close();
  });

  it('never hides that a provider failed', async () => {
    await using four = await startFourProviders();
    four.replies.virustotal = (response) => void response.writeHead(503).end('{}');
    const { engine, feedback } = await openEngine({ env: four.env() });
    await giveFeedback(given, feedback, engine, nowS());
    const answer = (await engine.enrichMany([VALUE], { timeoutMs: 1500 })).get(VALUE)!.answer;
    expect(answer).toMatchObject({ verdict: 'clean', status: 'partial', autoResolve: false });
    await engine.close();
  });

  it('counts in other processes too, and ends when its time is over', async () => {
    const path = join(newStateFolder(), 'feedback.sqlite');
    let clockS = 1_000_000;
    const options = { path, watches: false, nowS: () => clockS };
    const one = await openFeedbackStore(options);
    expect(existsSync(path)).toBe(false);
    const override = { value: VALUE, type: 'ipv4-addr' as const, verdict: 'clean' as const, score: 0, author: 'jane', reason: 'x' };
    one.add({ ...override, atS: clockS, untilS: clockS + 60, saidVerdict: 'malicious', saidScore: 90 });
    const other = await openFeedbackStore(options);
    const indicator = { type: 'ipv4-addr' as const, value: VALUE };
    expect(other.lookup(indicator, clockS)?.verdict).toBe('clean');
    expect(other.lookup(indicator, clockS + 60)).toBeNull();
    clockS += 10;
    one.add({ ...override, verdict: 'suspicious', score: 55, atS: clockS, untilS: null, saidVerdict: null, saidScore: null });
    expect(one.lookup(indicator, clockS)?.verdict).toBe('suspicious');
    expect(one.list().map(({ verdict, endedBy }) => [verdict, endedBy])).toEqual([
      ['suspicious', null],
      ['clean', 'jane'],
    ]);
    expect(one.list({ inForceAtS: clockS })).toHaveLength(1);
    one.close();
    other.close();
  });

  it.each([
    [99, false],
    [100, true],
    [199, true],
    [200, false],
  ])('given at 100 until 200 counts at %i: %j', (at, counts) => {
    const override = { atS: 100, untilS: 200, endedAtS: null } as Override;
    expect(isInForce(override, at)).toBe(counts);
  });

  it.each([
    [{ value: 'no indicator at all' }, /^the value /],
    [{ verdict: 'unknown' }, /^verdict has to be one of/],
    [{ author: ' ' }, /^author/],
    [{ reason: '' }, /^reason/],
    [{ reason: 'x'.repeat(501) }, /^reason/],
    [{ score: 101 }, /^score/],
    [{ score: 1.5 }, /^score/],
    [{ forS: 0 }, /^it has to count/],
  ])('with %j is refused', async (change, message) => {
    const { engine, feedback } = await openEngine({ env: { ISMALICIOUS_STATE_DIR: newStateFolder() } });
    expect(await giveFeedback({ ...given, ...change }, feedback, engine, nowS())).toMatch(message);
    expect(feedback.list()).toEqual([]);
    await engine.close();
  });
});

describe('feedback on the command line and over HTTP', () => {
  it('add, list, remove', async () => {
    const env = { ISMALICIOUS_STATE_DIR: newStateFolder(), USER: 'jane' };
    const added = await runCli(['feedback', 'add', '11.0.0[.]1', '--verdict', 'clean', '--reason', 'our scanner', '--for', '30d'], env);
    expect(added).toMatchObject({ code: 0, stdout: expect.stringMatching(/^clean +0 +11\[\.\]0\[\.\]0\[\.\]1 +jane, .*: our scanner\n$/) });
    const listed = await runCli(['feedback', 'list', '--json'], env);
    expect(JSON.parse(listed.stdout)).toMatchObject({
      indicator: VALUE,
      verdict: 'clean',
      author: 'jane',
      reason: 'our scanner',
      ended_at: null,
    });
    expect((await runCli(['check', VALUE, '--json'], env)).stdout).toContain('"provider":"feedback"');
    expect((await runCli(['feedback', 'remove', VALUE], env)).code).toBe(0);
    expect(await runCli(['feedback', 'remove', VALUE], env)).toMatchObject({
      code: 1,
      stderr: `${VALUE}: there is no override in force\n`,
    });
    expect((await runCli(['feedback', 'list'], env)).stdout).toBe('');
    expect((await runCli(['feedback', 'list', '--all'], env)).stdout).toMatch(/ended .* by jane/);
  });

  it.each([
    [['feedback']],
    [['feedback', 'add']],
    [['feedback', 'add', VALUE, '--verdict', 'clean']],
    [['feedback', 'add', VALUE, '--verdict', 'nice', '--reason', 'x']],
    [['feedback', 'add', VALUE, '--verdict', 'clean', '--reason', 'x', '--for', 'ever']],
  ])('%j is wrong use', async (args) => {
    expect((await runCli(args, { ISMALICIOUS_STATE_DIR: newStateFolder(), USER: 'jane' })).code).toBe(2);
  });

  it('POST, GET, DELETE /v1/feedback', async () => {
    const { engine, feedback } = await openEngine({ env: { ISMALICIOUS_STATE_DIR: newStateFolder() } });
    const app = fastify();
    addFeedbackRoute(app, { feedback, enricher: engine, clock: systemClock, maxBodyBytes: 10_000 });
    const call = (method: 'POST' | 'GET' | 'DELETE', payload?: object) =>
      app.inject({ method, url: '/v1/feedback', ...(payload ? { payload } : {}) });
    const body = { indicator: VALUE, verdict: 'malicious', author: 'jane', reason: 'seen in a case', for_s: 60 };
    expect(await call('POST', body)).toMatchObject({ statusCode: 201 });
    expect((await call('POST', { ...body, indicator: 'nonsense here' })).statusCode).toBe(400);
    expect((await call('POST', { ...body, verdict: 'fine' })).statusCode).toBe(400);
    expect((await call('GET')).json()).toMatchObject({ overrides: [{ indicator: VALUE, verdict: 'malicious', score: 95 }] });
    expect((await engine.enrichMany([VALUE])).get(VALUE)?.answer.verdict).toBe('malicious');
    expect((await call('DELETE', { indicator: VALUE, author: 'joe' })).statusCode).toBe(204);
    expect((await call('DELETE', { indicator: VALUE, author: 'joe' })).statusCode).toBe(404);
    expect((await call('GET')).json()).toEqual({ overrides: [] });
    await app.close();
    await engine.close();
  });
});

describe('the weekly report', () => {
  it('counts calls, success, cost and time by provider, over several processes, and how right we were', async () => {
    await using four = await startFourProviders();
    const env = four.env({ GREYNOISE_ENABLED: 'false' });
    for (const part of [['11.0.0.1', '12.0.0.1'], ['13.0.0.1'], ['14.0.0.1']]) {
      if (part[0] === '14.0.0.1') four.replies.abuseipdb = (response) => void response.writeHead(401).end('{}');
      const { engine, feedback } = await openEngine({ env });
      await engine.enrichMany(part, { timeoutMs: 8000 });
      const verdict = part[0] === '13.0.0.1' ? 'clean' : 'malicious';
      await giveFeedback({ ...given, value: part[0]!, verdict }, feedback, engine, nowS());
      await engine.close();
    }
    const { code, stdout } = await runCli(['report', '--json'], env);
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as { providers: { provider: string }[]; latency: { p50: number; p99: number } };
    expect(report.providers.find(({ provider }) => provider === 'virustotal')).toMatchObject({
      calls: 4,
      lookups: 4,
      answered: 4,
      failed: {},
      successRate: 1,
      credits: 4,
      latency: { p50: expect.any(Number), p99: expect.any(Number) },
    });
    expect(report.providers.find(({ provider }) => provider === 'abuseipdb')).toMatchObject({
      answered: 3,
      failed: { unauthorized: 1 },
      successRate: 0.75,
    });
    expect(report).toMatchObject({
      successRate: 11 / 12,
      feedback: { overrides: 3, truePositives: 2, falsePositives: 1, falseNegatives: 0, truePositiveRate: 2 / 3 },
    });
    expect(report.latency.p50).toBeLessThanOrEqual(report.latency.p99);
    // Eleven of twelve: 91.7 %, below 99 %.
    expect(report).toMatchObject({
      targets: { latencyP95Ms: 30_000, successRate: 0.99 },
      onTarget: { latency: true, successRate: false },
      callers: [{ program: 'cli', calls: expect.any(Number), values: 12 }],
    });
    const { trend } = report as unknown as { trend: { calls: number; successRate: number | null; truePositiveRate: number | null }[] };
    expect(trend).toHaveLength(8);
    expect([trend[7], trend[6]]).toMatchObject([
      { successRate: 11 / 12, truePositiveRate: 2 / 3 },
      { calls: 0, successRate: null, truePositiveRate: null },
    ]);
    const priced = { ...env, VIRUSTOTAL_CREDIT_PRICE: '0.25', VIRUSTOTAL_BUDGET_PER_MONTH: '500' };
    const words = await runCli(['report'], priced);
    expect(words.stdout).toMatch(/virustotal .*4 credits \(cost 1\.00\), 4 of 500 this month/);
    expect(words.stdout).toMatch(/success rate +91\.7 %; target at least 99 %: MISSED/);
    expect(words.stdout).toMatch(/true-positive rate +66\.7 % \(2 confirmed, 1 false alarms/);
  });

  it('of a fresh install says that nothing is known yet', async () => {
    const { code, stdout } = await runCli(['report'], { ISMALICIOUS_STATE_DIR: newStateFolder() });
    expect(code).toBe(0);
    expect(stdout).toMatch(/true-positive rate +not known yet/);
    expect(stdout).toMatch(/time to an answer +not measured yet/);
  });
});
