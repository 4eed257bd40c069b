import { PassThrough } from 'node:stream';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { epochS, systemClock } from '../../../src/engine/clock.ts';
import { openFeedbackStore } from '../../../src/engine/feedback/feedback-store.ts';
import { giveFeedback } from '../../../src/engine/feedback/give-feedback.ts';
import { runProgram } from '../../../src/hosts/cli/program.ts';
import { openEngine } from '../../../src/compose/open-engine.ts';
import { addFeedbackRoute } from '../../../src/hosts/sidecar/routes/feedback-route.ts';
import { newStateFolder } from '../../support/open-test-engine.ts';
import { lockFromOutside } from '../../support/sqlite-lock.ts';

const VALUE = '11.0.0.1';
const nowS = () => epochS(systemClock);
const given = { value: VALUE, verdict: 'clean', author: 'jane', reason: 'our scanner' };

async function runCli(args: readonly string[], env: Record<string, string>) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const io = { stdin: new PassThrough().end(), stdout: out, stderr: err, env, hasColor: false, hasProgress: false };
  const code = await runProgram(args, io);
  return { code, stdout: String(out.read() ?? ''), stderr: String(err.read() ?? '') };
}

/** A state folder with one good override, and one row changed behind our back. */
async function folderWith(change: string) {
  const folder = newStateFolder();
  const env = { ISMALICIOUS_STATE_DIR: folder, USER: 'jane' };
  const { engine, feedback } = await openEngine({ env });
  await giveFeedback(given, feedback, engine, nowS());
  await giveFeedback({ ...given, value: '11.0.0.2' }, feedback, engine, nowS());
  await engine.close();
  const path = join(folder, 'feedback.sqlite');
  const db = new DatabaseSync(path);
  db.exec(change);
  db.close();
  return { env, path };
}

describe('an override that lasts longer than dates go', () => {
  it.each([9_007_199_254_740_991, 8.64e12, 315_360_001])('is refused over HTTP, and nothing is stored (%i s)', async (seconds) => {
    const { engine, feedback } = await openEngine({ env: { ISMALICIOUS_STATE_DIR: newStateFolder() } });
    const app = fastify({ ajv: { customOptions: { coerceTypes: false } } });
    addFeedbackRoute(app, { feedback, enricher: engine, clock: systemClock, maxBodyBytes: 10_000 });
    const payload = { indicator: VALUE, verdict: 'clean', author: 'a', reason: 'x', for_s: seconds };
    expect((await app.inject({ method: 'POST', url: '/v1/feedback', payload })).statusCode).toBe(400);
    expect((await app.inject({ method: 'GET', url: '/v1/feedback?all=true' })).json()).toEqual({ overrides: [] });
    await app.close();
    await engine.close();
  });

  it.each(['104249991374d', '99999999999d', '3651d', '999999999999999999999999d'])(
    '--for %s is wrong use, and nothing is stored',
    async (age) => {
      const env = { ISMALICIOUS_STATE_DIR: newStateFolder(), USER: 'jane' };
      const add = ['feedback', 'add', VALUE, '--verdict', 'clean', '--reason', 'x', '--for', age];
      expect((await runCli(add, env)).code).toBe(2);
      expect(await runCli(['feedback', 'list', '--all'], env)).toMatchObject({ code: 0, stdout: '' });
    },
  );

  it('one of several values that is wrong leaves none of them stored', async () => {
    const env = { ISMALICIOUS_STATE_DIR: newStateFolder(), USER: 'jane' };
    const add = ['feedback', 'add', VALUE, 'no indicator', '--verdict', 'clean', '--reason', 'x'];
    expect((await runCli(add, env)).code).toBe(2);
    expect((await runCli(['feedback', 'list'], env)).stdout).toBe('');
  });

  it('does not get past the store itself', async () => {
    const path = join(newStateFolder(), 'feedback.sqlite');
    const store = await openFeedbackStore({ path, watches: false, nowS });
    const row = { value: VALUE, type: 'ipv4-addr', verdict: 'clean', score: 0, author: 'a', reason: 'r', atS: 1, untilS: null } as const;
    for (const change of [{ untilS: 2 ** 52 }, { untilS: 1.5 }, { atS: -1 }, { score: 101 }, { author: '' }, { reason: 'x'.repeat(501) }])
      expect(() => store.add({ ...row, ...change, saidVerdict: null, saidScore: null }), JSON.stringify(change)).toThrow(RangeError);
    expect(store.list()).toEqual([]);
    store.close();
  });
});

describe('a row of overrides that cannot be read', () => {
  it.each([
    ['a time beyond all dates', `UPDATE override SET until = 9007199254740991 WHERE value = '${VALUE}'`],
    ['a time that fits no number', `UPDATE override SET until = 9223372036854775807 WHERE value = '${VALUE}'`],
    ['a date nobody can write', `UPDATE override SET until = 8640000000001 WHERE value = '${VALUE}'`],
    ['a word nobody says', `UPDATE override SET verdict = 'harmless' WHERE value = '${VALUE}'`],
    ['a type nobody knows', `UPDATE override SET type = 'ip' WHERE value = '${VALUE}'`],
    ['a score out of range', `UPDATE override SET score = 12345678901234567 WHERE value = '${VALUE}'`],
  ])('%s: costs itself, is told with its file and the remedy, and can be taken back', async (_name, change) => {
    const { env, path } = await folderWith(change);
    const checked = await runCli(['check', '11.0.0.2', '--json'], env);
    expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining('"provider":"feedback"')]);
    expect(checked.stderr).toContain(`1 of analysts' overrides in ${path} cannot be read`);
    const listed = await runCli(['feedback', 'list'], env);
    expect([listed.stdout.includes('11[.]0[.]0[.]2'), listed.stdout.includes('11[.]0[.]0[.]1')]).toEqual([true, false]);
    expect(listed.stderr).toContain('ismalicious feedback remove VALUE');
    expect((await runCli(['doctor', '--offline'], env)).stdout).toMatch(new RegExp(`FAIL {2}overrides .*${path}`));
    const removed = await runCli(['feedback', 'remove', VALUE], env);
    expect(removed.code, removed.stderr).toBe(0);
    expect(await runCli(['feedback', 'list', '--all'], env)).toMatchObject({ code: 0, stderr: '' });
    expect((await runCli(['doctor', '--offline'], env)).stdout).toMatch(/ok {4}overrides/);
  });
});

describe('a file of overrides that is no database', () => {
  it('stops no look-up, says that overrides are not in force, and names file and remedy', async () => {
    const { env, path } = await folderWith('SELECT 1');
    writeFileSync(path, 'garbage'.repeat(1000));
    const checked = await runCli(['check', VALUE, '--json'], env);
    expect(checked.code).toBe(0);
    expect(checked.stdout).not.toContain('"provider":"feedback"');
    expect(checked.stderr).toMatch(new RegExp(`overrides are not all in force: ${path} cannot be read .*restore .* or move it away`));
    for (const args of [
      ['feedback', 'list'],
      ['feedback', 'remove', VALUE],
    ]) {
      const result = await runCli(args, env);
      expect([result.code, result.stderr.includes(path)]).toEqual([1, true]);
    }
    expect((await runCli(['doctor', '--offline'], env)).stdout).toMatch(new RegExp(`FAIL {2}overrides .*${path}`));
    const { engine, health } = await openEngine({ env });
    expect(health().overrides.fault).toContain(path);
    await engine.close();
  });
});

describe('a file of overrides that another process locks', () => {
  it('keeps what is in force, holds up nobody, and takes a decision when it is free', async () => {
    const { env, path } = await folderWith('SELECT 1');
    const { engine, feedback } = await openEngine({ env });
    const lock = await lockFromOutside(path, 'exclusive');
    const startedMs = performance.now();
    const kept = (await engine.enrichMany([VALUE])).get(VALUE)!.answer;
    expect(kept.attributes).toContain('override');
    expect(() => feedback.remove(VALUE, 'joe', nowS())).toThrow(path);
    expect(performance.now() - startedMs).toBeLessThan(2000);
    const taken = giveFeedback({ ...given, verdict: 'suspicious' }, feedback, engine, nowS());
    await lock.free();
    expect(await taken).toMatchObject({ verdict: 'suspicious' });
    expect((await engine.enrichMany([VALUE])).get(VALUE)!.answer.verdict).toBe('suspicious');
    await engine.close();
  });
});
