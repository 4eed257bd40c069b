import { expect, it } from 'vitest';
import { exampleOf, type Schemas } from '../../src/console/api/example.ts';
import { labelsOf, quantileBetween, readMetrics, sumOf } from '../../src/console/health/metrics-text.ts';
import { createMetrics } from '../../src/compose/figures/metrics.ts';
import { openApiDocument } from '../../src/openapi/openapi.ts';

it('reads what the sidecar writes at /metrics', () => {
  const metrics = createMetrics(
    () => 'ismalicious_provider_calls_total{provider="a"} 3\nismalicious_provider_calls_total{provider="b"} 4\n',
  );
  metrics.add('events', 7);
  metrics.observe('/v1/lookup', 200, 3);
  const samples = readMetrics(metrics.render());
  expect(sumOf(samples, 'ismalicious_sidecar_events_total')).toBe(7);
  expect(sumOf(samples, 'ismalicious_provider_calls_total')).toBe(7);
  expect(sumOf(samples, 'ismalicious_provider_calls_total', { provider: 'b' })).toBe(4);
  expect(sumOf(samples, 'not_there')).toBeNull();
  expect(labelsOf(samples, 'ismalicious_provider_calls_total', 'provider')).toEqual(['a', 'b']);
});

it('the bound of most calls between two readings counts those calls only', () => {
  const metrics = createMetrics();
  for (let n = 0; n < 100; n++) metrics.observe('/v1/lookup', 200, 4000);
  const before = readMetrics(metrics.render());
  expect(quantileBetween(before, before, 0.95)).toBeNull();
  for (let n = 0; n < 99; n++) metrics.observe('/v1/lookup', 200, 4);
  metrics.observe('/v1/enrich', 200, 900);
  expect(quantileBetween(readMetrics(metrics.render()), before, 0.95)).toBe(0.005);
});

it('every body of the API has an example that names what is demanded', () => {
  const { paths, components } = openApiDocument('1') as { paths: Record<string, Record<string, never>>; components: { schemas: Schemas } };
  const bodies = Object.values(paths)
    .flatMap((methods) => Object.values(methods))
    .map((facts) => (facts as { requestBody?: { content: Record<string, { schema: object }> } }).requestBody)
    .filter((body) => body !== undefined);
  expect(bodies.length).toBeGreaterThan(5);
  for (const { content } of bodies) expect(exampleOf(Object.values(content)[0]!.schema, components.schemas)).not.toBeUndefined();
  expect(exampleOf({ $ref: '#/components/schemas/LookupRequest' }, components.schemas)).toEqual({
    indicators: ['198.51.100.7', 'hxxp://login-portal[.]example/reset'],
  });
});
