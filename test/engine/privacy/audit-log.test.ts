import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openAuditLog } from '../../../src/engine/privacy/audit-log.ts';
import { openEngine } from '../../../src/compose/open-engine.ts';
import { newStateFolder, openTestEngine, publicAddresses } from '../../support/open-test-engine.ts';
import { healthy, startStandIn } from '../../support/stand-in-api.ts';

const linesOf = (path: string) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { provider: string; indicators: string[] });

describe('the audit log', () => {
  it.each([0, 500])('holds every value before its call arrives (bulk cap %i)', async (bulkCap) => {
    await using api = await startStandIn();
    api.bulkCap = bulkCap;
    const folder = newStateFolder();
    const missing: string[] = [];
    api.reply = (call, response, attempt) => {
      const recorded = new Set(linesOf(join(folder, 'egress.ndjson')).flatMap(({ indicators }) => indicators));
      missing.push(...call.values.filter((value) => !recorded.has(value)));
      healthy(call, response, attempt);
    };
    const { engine } = await openTestEngine(api.url, { ISMALICIOUS_STATE_DIR: folder });
    await engine.enrichMany(publicAddresses(60));
    await engine.close();
    expect([missing, api.asked()]).toEqual([[], expect.objectContaining({ length: 60 })]);
  });

  it('that cannot be written is told at once, and what left meanwhile is written when it can be again', async () => {
    await using api = await startStandIn();
    const folder = newStateFolder();
    const path = join(folder, 'egress.ndjson');
    mkdirSync(path);
    const said: string[] = [];
    const env = { ISMALICIOUS_BASE_URL: api.url, ISMALICIOUS_X_API_KEY: 'a2V5', ISMALICIOUS_STATE_DIR: folder };
    const { engine, warnings, health } = await openEngine({ env, onFault: (message) => said.push(message) });
    const found = await engine.enrichMany(publicAddresses(3));
    expect([...found.values()].every(({ answer }) => answer.status === 'ok')).toBe(true);
    expect(said).toEqual([expect.stringMatching(/egress\.ndjson cannot be written \(EISDIR\): what leaves is not recorded/)]);
    expect(warnings).toEqual(said);
    expect(health().audit).toMatchObject({ fault: said[0], lost: 3 });
    rmSync(path, { recursive: true });
    await engine.close();
    expect(linesOf(path).flatMap(({ indicators }) => indicators)).toEqual(publicAddresses(3));
  });

  it('that is required keeps everything at home while it cannot be written, and says which file', async () => {
    await using api = await startStandIn();
    const folder = newStateFolder();
    const path = join(folder, 'egress.ndjson');
    mkdirSync(path);
    const { engine } = await openTestEngine(api.url, { ISMALICIOUS_STATE_DIR: folder, ISMALICIOUS_PRIVACY_AUDIT: 'required' });
    for (let n = 0; n < 3; n++) {
      const found = await engine.enrichMany(publicAddresses(10));
      for (const { answer } of found.values()) {
        expect(answer).toMatchObject({ status: 'unavailable', verdict: 'unknown', score: null, message: expect.stringContaining(path) });
      }
    }
    expect(api.calls).toEqual([]);
    await engine.close();
    rmSync(path, { recursive: true });
    const again = await openTestEngine(api.url, { ISMALICIOUS_STATE_DIR: folder, ISMALICIOUS_PRIVACY_AUDIT: 'required' });
    expect((await again.engine.enrichMany(publicAddresses(1))).get(publicAddresses(1)[0] ?? '')?.answer.status).toBe('ok');
    await again.engine.close();
  });

  it('required and switched off at once is a wrong setting', async () => {
    const env = { ISMALICIOUS_STATE_DIR: newStateFolder(), ISMALICIOUS_PRIVACY_AUDIT: 'required', ISMALICIOUS_PRIVACY_AUDIT_LOG: 'false' };
    await expect(openEngine({ env })).rejects.toThrow(/privacy\.audit/);
  });

  it('is written to the new file after somebody moved or deleted it', () => {
    const path = join(newStateFolder(), 'egress.ndjson');
    let ms = 0;
    const log = openAuditLog({ path, isRequired: false, onFault: () => {}, nowMs: () => ms });
    const [one, two] = publicAddresses(2).map((value) => [{ type: 'ipv4-addr' as const, value }]);
    log.record('p', one ?? [], 0);
    rmSync(path);
    ms += 1001;
    log.record('p', two ?? [], 0);
    log.close();
    expect(linesOf(path)).toHaveLength(1);
  });

  it('a line that a full disk tore does not spoil the next one', () => {
    const path = join(newStateFolder(), 'egress.ndjson');
    let ms = 0;
    const log = openAuditLog({ path, isRequired: false, onFault: () => {}, nowMs: () => ms });
    const [one = '', two = ''] = publicAddresses(2);
    mkdirSync(path);
    log.record('p', [{ type: 'ipv4-addr', value: one }], 0);
    rmSync(path, { recursive: true });
    writeFileSync(path, '{"time":"2026-', { mode: 0o600 });
    ms += 1001;
    log.record('p', [{ type: 'ipv4-addr', value: two }], 0);
    log.close();
    const whole = readFileSync(path, 'utf8').split('\n').slice(1, -1);
    expect(whole.map((line) => (JSON.parse(line) as { indicators: string[] }).indicators)).toEqual([[one], [two]]);
  });
});
