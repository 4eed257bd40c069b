import { describe, expect, it, onTestFinished } from 'vitest';
import { createBodyWorkers } from '../../../../src/hosts/sidecar/bodies/body-workers.ts';
import { LONG_BODY_BYTES, LongBody } from '../../../../src/hosts/sidecar/bodies/long-body.ts';
import { RefusedBody } from '../../../../src/hosts/sidecar/bodies/refused-body.ts';
import { startSidecar } from '../support/start-sidecar.ts';

const PADDING = ' '.repeat(LONG_BODY_BYTES);
const FOREVER = new AbortController().signal;

/** Threads that do as they are told by the `max` of a job: 1 answers, 2 ends itself, 3 throws, 4 waits until it is stopped. */
const OBEDIENT = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', ({ job, stop }) => {
      if (job.max === 2) process.exit(1);
      if (job.max === 3) throw new Error('broken');
      while (job.max === 4 && Atomics.load(stop, 0) === 0) Atomics.wait(stop, 0, 0, 5);
      parentPort.postMessage(job.max === 4 ? { kind: 'stopped' } : { kind: 'extracted', json: new Uint8Array(2), isTruncated: false });
    });`)}`,
);

function obedient() {
  const workers = createBodyWorkers(1, OBEDIENT);
  onTestFinished(() => workers.close());
  return (max: number, signal = FOREVER) => workers.extract(new LongBody(Buffer.alloc(4)), max, signal);
}

describe('a long body', () => {
  it.each([
    ['/v1/extract', '{"text":"see 8.8.8.8, a@b.co and hxxp://evil[.]com/x, 8.8.8.8"}'],
    ['/v1/extract', '{"text":"8.8.8.8 8.8.8.8","unique":true}'],
    ['/v1/extract', '{"text":1}'],
    ['/v1/extract', '{"text":"x","unique":1}'],
    ['/v1/extract', '{"text":"x","more":1}'],
    ['/v1/extract', '{"unique":true}'],
    ['/v1/extract', '[]'],
    ['/v1/extract', 'null'],
    ['/v1/extract', '{'],
    ['/v1/extract', '{"__proto__":{"a":1},"text":"9.9.9.9"}'],
    ['/v1/triage', '{"alerts":[{"id":"a","dest_ip":"8.8.8.8","action":"blocked"},{"dest_ip":["9.9.9.9","10.0.0.1"]}]}'],
    ['/v1/triage', '{"id":"a","__proto__":{"id":"b"},"constructor":{"prototype":1}}'],
    ['/v1/triage', `[${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}]`],
    ['/v1/triage', '[]'],
    ['/v1/triage', '[1]'],
    ['/v1/triage', '"x"'],
    ['/v1/triage', '{"alerts":'],
    ['/v1/triage', `[${Array(1001).fill('{}').join(',')}]`],
  ])('is answered by %s as a short one: %s', async (path, body) => {
    const { call } = await startSidecar();
    const send = (text: string) => call(path, { body: text, headers: { 'content-type': 'application/json' } });
    const [short, long] = [await send(body), await send(body + PADDING)];
    expect([long.status, long.text]).toEqual([short.status, short.text]);
    expect(long.headers.get('content-type')).toMatch(/^application\/json/);
    expect((await call('/metrics')).text).toContain('ismalicious_sidecar_faults_total 0');
  });

  it('with more alerts than go over at once is answered in order', async () => {
    const { call } = await startSidecar();
    const alerts = Array.from({ length: 900 }, (_, n) => ({ id: `a${n}`, dest_ip: Array(50).fill(`8.8.${n >> 8}.${n & 255}`) }));
    const { json } = await call('/v1/triage', { body: { alerts } });
    expect(json.decisions.map(({ alert_id }: { alert_id: string }) => alert_id)).toEqual(alerts.map(({ id }) => id));
  });
});

describe('a thread that reads bodies', () => {
  it.each([
    ['ends', 2],
    ['throws', 3],
  ])('that %s costs its call, as often as that happens, and the next one is answered', async (_what, max) => {
    const extract = obedient();
    for (let n = 0; n < 3; n++) {
      const [broken, next] = await Promise.allSettled([extract(max), extract(1)]);
      expect([broken.status, next.status]).toEqual(['rejected', 'fulfilled']);
    }
  });

  it('stops when nobody waits any more, and takes the next body', async () => {
    const extract = obedient();
    const gone = new AbortController();
    const stopped = extract(4, gone.signal);
    const next = extract(1);
    gone.abort();
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    expect((await next).isTruncated).toBe(false);
  });

  it('has no more bodies waiting for it than it may', async () => {
    const extract = obedient();
    const gone = new AbortController();
    const asked = Array.from({ length: 66 }, () => extract(4, gone.signal).catch((error: unknown) => error));
    const last = await Promise.race(asked);
    expect((last as RefusedBody).refusal).toMatchObject({ status: 503, code: 'busy' });
    gone.abort();
    expect((await Promise.all(asked)).filter((error) => error instanceof RefusedBody)).toHaveLength(1);
  });
});
