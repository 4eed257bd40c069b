import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Enricher } from '../../../../src/engine/enricher.ts';
import { converse, type Surroundings } from '../../../../src/hosts/splunk/protocol/search-conversation.ts';
import { FakeEnricher } from '../../../support/fake-enricher.ts';
import { executeOf, getinfoOf, MemoryInput, MemoryOutput } from '../../../support/splunk-streams.ts';

const ROWS = 'dest_ip\n203.0.113.5\n';

function start(engine: Enricher, more: Partial<Surroundings> = {}) {
  const input = new MemoryInput(Buffer.concat([getinfoOf(['dest_ip']), executeOf(ROWS)]));
  return converse({
    input,
    output: new MemoryOutput(),
    now: () => 0,
    open: () => Promise.resolve({ engine, warnings: [] }),
    complain: () => {},
    ...more,
  });
}

afterEach(() => void vi.useRealTimers());

describe('the end of a search', () => {
  it('waits five seconds at most for calls that are out, before the engine is closed', async () => {
    const steps: unknown[] = [];
    const engine = new FakeEnricher();
    const finish = (mostMs?: number) => Promise.resolve(void steps.push(mostMs));
    const close = () => Promise.resolve(void steps.push('closed'));
    await start({
      enrichMany: engine.enrichMany.bind(engine),
      peek: engine.peek.bind(engine),
      plan: engine.plan.bind(engine),
      finish,
      close,
    });
    expect(steps).toEqual([5000, 'closed']);
  });

  it('waits half a second at most for an engine that does not close', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const engine = new FakeEnricher();
    const closing = new Promise<void>((resolve) => {
      engine.close = () => {
        resolve();
        return new Promise(() => {});
      };
    });
    let isOver = false;
    const ended = start(engine).then((status) => {
      isOver = true;
      return status;
    });
    await closing;
    await vi.advanceTimersByTimeAsync(499);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await ended).toBe(0);
  });

  it('tells the size of each chunk before its rows are read', async () => {
    const sizes: number[] = [];
    await start(new FakeEnricher(), { prepare: (bytes) => Promise.resolve(void sizes.push(bytes)) });
    expect(sizes).toEqual([ROWS.length]);
  });
});
