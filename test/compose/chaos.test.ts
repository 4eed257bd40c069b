import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { selfSigned } from '../../src/compose/chaos/certificate.ts';
import { CHAOS_HOSTS, type Fault, hostsOf } from '../../src/compose/chaos/fault.ts';
import { CONTROLS, ELSEWHERE, FAULTS } from '../../src/compose/chaos/faults.ts';
import { type ChaosCell, runChaos } from '../../src/compose/chaos/run-chaos.ts';
import { projectRoot } from '../support/fixtures.ts';

const PROGRAM = [process.execPath, join(projectRoot, 'dist/cli.js')];

/** Runs `ismalicious selftest` as a user does. */
async function selftest(...args: readonly string[]) {
  const child = spawn(process.execPath, [PROGRAM[1] ?? '', 'selftest', ...args], {
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (part) => (stdout += String(part)));
  child.stderr.on('data', (part) => (stderr += String(part)));
  const [code] = (await once(child, 'close')) as [number];
  return { code, stdout, stderr };
}

describe('`ismalicious selftest`', { timeout: 300_000 }, () => {
  it('sees both answers come out of every host when nothing is wrong', async () => {
    const { code, stdout } = await selftest();
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('8 cells, 0 failed') as string });
  });
  it('--chaos tries every host with every fault of the rows that are named, as a table or as JSON', async () => {
    const { code, stdout } = await selftest('--chaos', '--json', '--only', 'f3,F12,f16');
    const cells = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ChaosCell);
    expect(cells.filter(({ ok }) => !ok)).toEqual([]);
    expect(code).toBe(0);
    for (const row of ['F3', 'F12'])
      expect(new Set(cells.filter((cell) => cell.row === row).map(({ host }) => host))).toEqual(new Set(CHAOS_HOSTS));
    expect(cells.filter(({ row }) => row === 'F16').map(({ host }) => host)).toEqual(['sidecar']);
  });
  it('is told what to do when it is used wrongly', async () => {
    expect(await selftest('--chaos', '--only', 'F99')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no F99') as string,
    });
    expect(await selftest('--only', 'F3')).toMatchObject({ code: 2, stderr: expect.stringContaining('--chaos') as string });
  });
});

describe('the matrix', { timeout: 300_000 }, () => {
  it('names every host that reads clean where nothing may', async () => {
    const [, clean] = CONTROLS;
    const believed: Fault = { ...(clean as Fault), name: 'reads clean', expects: 'none' };
    const { cells } = await runChaos({ faults: [believed], program: PROGRAM });
    expect(cells.map(({ host, ok, why }) => ({ host, ok, why }))).toEqual(
      CHAOS_HOSTS.map((host) => ({ host, ok: false, why: 'an event reads clean, status ok' })),
    );
  });
  it('has each of F1 to F20: as a fault, or said to be elsewhere', () => {
    const rows = new Set([...FAULTS.map(({ row }) => row), ...ELSEWHERE.map(([row]) => row)]);
    expect([...rows].filter((row) => row !== 'none').toSorted()).toEqual(Array.from({ length: 20 }, (_, n) => `F${n + 1}`).toSorted());
    for (const fault of FAULTS) expect(hostsOf(fault).length).toBeGreaterThan(0);
    expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
  });
  it('makes certificates that are whole, and signed by nobody but themselves', () => {
    const { cert } = selfSigned('stand-in');
    const read = new X509Certificate(cert);
    expect([read.subject, read.issuer, read.verify(read.publicKey)]).toEqual(['CN=stand-in', 'CN=stand-in', true]);
  });
});
