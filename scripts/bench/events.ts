import { systemClock } from '../../src/engine/clock.ts';
import type { Enricher } from '../../src/engine/enricher.ts';
import { createTextEnricher } from '../../src/events/enrich-text.ts';
import { createVerdictMemory } from '../../src/events/verdict-memory.ts';
import { createWantedFields, DEFAULT_FIELDS } from '../../src/events/wanted-fields.ts';
import type { EcsDetail } from '../../src/mapping/ecs-roll-up.ts';
import { createFakeEnricher } from '../../test/support/fake-sidecar-enricher.ts';
import type { Print } from './figure.ts';
import { median } from './median.ts';

const EVENTS = 20_000;
const ROUNDS = 17;
const WARM_UP = 8;
const CHECKED_S = 1_795_000_000;

/**
 * What an event without a finding costs in each `ecs.detail`: bytes that it grows by, and CPU of reading it, looking up in memory and writing it.
 * One batch, both in turns, medians.
 */
export async function run(print: Print): Promise<void> {
  const text = Buffer.from(Array.from({ length: EVENTS }, (_, n) => eventOf(n)).join('\n'));
  const levels = (['lean', 'full'] as const).map((detail) => ({ detail, enrich: enricherOf(detail), cpuUs: [] as number[], added: 0 }));
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const level of round % 2 === 0 ? levels : levels.toReversed()) {
      const start = process.cpuUsage();
      const length = level.enrich(text);
      const { user, system } = process.cpuUsage(start);
      if (round >= 0) level.cpuUs.push((user + system) / EVENTS);
      level.added = (length - text.length) / EVENTS;
    }
  }
  for (const { detail, cpuUs, added } of levels) {
    print({ name: `clean event, ${detail}: added`, value: Math.round(added), unit: 'B' });
    print({ name: `clean event, ${detail}`, value: Number(median(cpuUs).toPrecision(3)), unit: 'µs CPU' });
  }
  await Promise.resolve();
}

function enricherOf(detail: EcsDetail): (text: Buffer) => number {
  const fake = createFakeEnricher();
  const enricher: Enricher = { ...fake, peek: (value) => checked(fake.peek(value)) };
  const texts = createTextEnricher({
    wanted: createWantedFields(DEFAULT_FIELDS),
    known: createVerdictMemory({ enricher, clock: systemClock, fields: DEFAULT_FIELDS, size: 2 ** 17, ttlMs: 600_000 }),
    rules: { fields: DEFAULT_FIELDS, matchedType: null, writesPlaybook: false, detail },
    maxDepth: 32,
    maxEvents: EVENTS,
    clock: systemClock,
    allocate: (size) => Buffer.allocUnsafe(size),
  });
  return (text) => {
    const result = texts.enrich(text, 'ndjson');
    if (result.kind !== 'enriched') throw new Error(`the events were not enriched: ${result.kind}`);
    return result.text.length;
  };
}

function checked(enrichment: ReturnType<Enricher['peek']>): ReturnType<Enricher['peek']> {
  return enrichment && { ...enrichment, checkedAtS: CHECKED_S };
}

function eventOf(n: number): string {
  const ip = `45.${n % 7}.${(n >> 4) % 200}.${n % 200}`;
  return `{"@timestamp":"2026-11-21T10:00:00Z","event":{"action":"accept"},"source":{"ip":"10.1.2.${n % 250}","port":40123},"destination":{"ip":"${ip}","port":443},"network":{"bytes":12345}}`;
}
