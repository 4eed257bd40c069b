/** Monitors for OpenSearch Alerting: the flat rules, in its own words. All are imported disabled. */

type Monitor = Readonly<Record<string, unknown>>;

/** Every monitor. */
export function monitors(): Monitor[] {
  return [
    monitor('malicious indicator in an event', '1', [
      { term: { 'ismalicious.verdict': 'malicious' } },
      { terms: { 'ismalicious.status': ['ok', 'stale', 'partial'] } },
    ]),
    monitor('suspicious indicator in an event', '3', [
      { term: { 'ismalicious.verdict': 'suspicious' } },
      { terms: { 'ismalicious.status': ['ok', 'stale', 'partial'] } },
    ]),
    monitor('enrichment is failing', '4', [{ terms: { tags: ['_ismalicious_failure', '_ismalicious_unavailable'] } }], 100),
  ];
}

function monitor(name: string, severity: string, terms: readonly Monitor[], above = 0): Monitor {
  const inPeriod = (field: string) => ({ range: { [field]: { gte: '{{period_start}}', lt: '{{period_end}}', format: 'epoch_millis' } } });
  // Indices that do not go through a pipeline of ours have no `event.ingested`.
  const notIngested = { bool: { must_not: [{ exists: { field: 'event.ingested' } }], filter: [inPeriod('@timestamp')] } };
  const filter = [...terms, { bool: { should: [inPeriod('event.ingested'), notIngested], minimum_should_match: 1 } }];
  const indicators = [{ term: { 'event.module': 'ti_ismalicious' } }, { term: { 'event.kind': 'enrichment' } }];
  return {
    type: 'monitor',
    monitor_type: 'query_level_monitor',
    name: `isMalicious: ${name}`,
    enabled: false,
    schedule: { period: { interval: 5, unit: 'MINUTES' } },
    inputs: [
      {
        search: {
          indices: ['logs-*'],
          query: {
            size: 0,
            query: { bool: { filter, must_not: indicators } },
            aggregations: { indicators: { terms: { field: 'ismalicious.indicator', size: 20 } } },
          },
        },
      },
    ],
    triggers: [
      {
        query_level_trigger: {
          name: 'found',
          severity,
          condition: { script: { source: `ctx.results[0].hits.total.value > ${above}`, lang: 'painless' } },
          actions: [],
        },
      },
    ],
  };
}
