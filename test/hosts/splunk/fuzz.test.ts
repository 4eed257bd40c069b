import { expect, it } from 'vitest';
import { FakeEnricher } from '../../support/fake-enricher.ts';
import { executeOf, getinfoOf, replay } from '../../support/splunk-streams.ts';

/** Mutated streams a run; `ISMALICIOUS_FUZZ=100000` for a long one. */
const COUNT = Number(process.env.ISMALICIOUS_FUZZ ?? 2500);
const SEED = Number(process.env.ISMALICIOUS_FUZZ_SEED ?? 20_261_121);

const SEEDS: readonly Buffer[] = [
  Buffer.concat([
    getinfoOf(['dest_ip']),
    executeOf('_time,dest_ip,__mv__time,__mv_dest_ip\n1,203.0.113.5,,\n2,"203.0.113.6\n203.0.113.7",,$203.0.113.6$;$203.0.113.7$\n', false),
    executeOf('_time,dest_ip\n'),
  ]),
  Buffer.concat([
    getinfoOf(['dest_ip', 'src', 'details=t']),
    executeOf('"a ""b""","src",im_verdict,dest_ip\r\n"x,\r\ny",10.0.0.1,old,203.0.113.9\r\n,,,\r\n'),
  ]),
  Buffer.concat([
    getinfoOf(['dest_ip', 'only=malicious']),
    executeOf('\uFEFFdest_ip,_chunked_idx\n203.0.113.5,0\n203.0.113.7,1\nnaïve 日本語,2\n'),
  ]),
  Buffer.concat([getinfoOf(['dest_ip', 'mode=plan']), executeOf('dest_ip\n203.0.113.5\n\n')]),
];
const TOKENS = [
  '"',
  '""',
  ',',
  '\n',
  '\r\n',
  '\r',
  'chunked 1.0,',
  'chunked 1.0,0,0\n',
  ',-1,',
  '99999999999',
  '$',
  '$;$',
  '{',
  '}',
  '__mv_',
  'im_verdict',
  '\uFEFF',
  '\0',
  'finished',
  'execute',
  'getinfo',
];

/** Small and fast: mulberry32. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function mutate(source: Buffer, random: (below: number) => number): Buffer {
  let bytes = Buffer.from(source);
  for (let n = 1 + random(4); n > 0; n--) {
    const at = random(bytes.length + 1);
    const head = bytes.subarray(0, at);
    switch (random(6)) {
      case 0:
        bytes = Buffer.concat([head, bytes.subarray(Math.min(bytes.length, at + 1 + random(20)))]);
        break;
      case 1:
        bytes = Buffer.concat([head, Buffer.from(TOKENS[random(TOKENS.length)]!), bytes.subarray(at)]);
        break;
      case 2:
        if (at < bytes.length) bytes[at] = random(256);
        break;
      case 3:
        bytes = Buffer.concat([head, bytes.subarray(random(bytes.length + 1))]);
        break;
      case 4:
        bytes = Buffer.concat([head, Buffer.from(TOKENS[random(TOKENS.length)]!), bytes.subarray(Math.min(bytes.length, at + 1))]);
        break;
      default:
        bytes = Buffer.from(head);
    }
  }
  return bytes;
}

it(`${COUNT} mutated streams end with whole replies, an error where one is due, and no row that was not sent (seed ${SEED})`, async () => {
  const random = randomOf(SEED);
  for (let n = 0; n < COUNT; n++) {
    const input = mutate(SEEDS[n % SEEDS.length]!, random);
    const { status, replies, messages, tables } = await replay(input, new FakeEnricher());
    const shown = JSON.stringify(input.toString('latin1'));
    expect([0, 1], shown).toContain(status);
    if (status === 1) expect(messages.at(-1)?.[0], shown).toBe('ERROR');
    const lineEnds = input.filter((byte) => byte === 10).length;
    const rows = tables.reduce((sum, table) => sum + table.rows.length, 0);
    expect(rows, shown).toBeLessThanOrEqual(lineEnds);
    for (const table of tables) for (const row of table.rows) expect(row.length, shown).toBe(table.header.length);
    for (const reply of replies.slice(1)) expect(typeof reply.metadata.finished, shown).toBe('boolean');
    for (const [, text] of messages) expect(text, shown).not.toContain('secret-session-key');
  }
}, 600_000);
