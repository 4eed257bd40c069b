import { isAskedFor } from '../../model/provider-id.ts';
import type { OutputItem } from '../output.ts';
import { isoS, mispTypeOf } from './item-summary.ts';
import { wordTable } from '../../model/tables/word-table.ts';

/** Feed ids as the seed pipeline prints them. */
const SOURCE_NAMES = wordTable<string>({
  misp: 'MISP',
  misp_feed: 'MISP feed',
  otx: 'OTX',
  urlhaus: 'URLhaus',
  malwarebazaar: 'MalwareBazaar',
  threatfox: 'ThreatFox',
  feodo: 'Feodo Tracker',
  abuseipdb: 'AbuseIPDB',
  taxii: 'TAXII',
  stix: 'STIX',
  csv: 'CSV',
});

/** One event for Splunk: the fields of the seed pipeline (`ioc_value`, `ioc_type`, `score`, `source`, `tags`, …), then ours. A field that nobody filled is left out. */
export function toHecEvent(item: OutputItem, { index, host }: { index?: string | undefined; host: string }) {
  const { indicator, enrichment, before } = item;
  const { answer, checkedAtS } = enrichment;
  return {
    time: checkedAtS ?? item.atS,
    host,
    source: 'ismalicious',
    sourcetype: 'ioc:enriched',
    ...(index === undefined ? {} : { index }),
    event: {
      ioc_value: indicator.value,
      ioc_type: mispTypeOf(indicator.type),
      ...(answer.score === null ? {} : { score: answer.score }),
      source: item.sources.map((source) => SOURCE_NAMES.get(source) ?? source).join(', '),
      tags: item.tags,
      ...providerFields(item),
      first_seen: isoS(item.firstSeenS),
      last_seen: isoS(item.lastSeenS),
      event_id: item.key,
      event: item.event,
      indicator_type: indicator.type,
      verdict: answer.verdict,
      status: answer.status,
      tier: answer.tier,
      ...(answer.confidence === null ? {} : { confidence: answer.confidence }),
      categories: answer.categories,
      attributes: answer.attributes,
      providers: answer.providers.filter(({ contribution }) => contribution > 0).map(({ provider }) => provider),
      ...(answer.reference === null ? {} : { reference: answer.reference }),
      ...(item.tlp === null ? {} : { tlp: item.tlp }),
      ...(checkedAtS === null ? {} : { checked_at: isoS(checkedAtS) }),
      ...(before === null ? {} : { previous_verdict: before.verdict, ...(before.score === null ? {} : { previous_score: before.score }) }),
      ...(item.note === null ? {} : { note: item.note }),
    },
  };
}

/** What the providers of the seed pipeline said, under its names: those that answered and list the value. */
function providerFields({ enrichment }: OutputItem) {
  const answered = (id: string) =>
    enrichment.answer.providers.find(({ provider, status }) => isAskedFor([id], provider) && status === 'ok');
  const [virustotal, abuseipdb, shodan] = [answered('virustotal'), answered('abuseipdb'), answered('shodan')];
  const exposure = shodan ?? answered('internetdb');
  const ports = (exposure?.attributes ?? []).flatMap((attribute) => /^port-(\d+)$/.exec(attribute)?.[1] ?? []).map(Number);
  // What was kept before engines were counted has only the number of those that flag the value.
  const flagging = virustotal?.detections?.malicious ?? virustotal?.sightings;
  return {
    ...(typeof flagging === 'number' ? { vt_malicious_engines: flagging } : {}),
    ...(virustotal?.detections ? { vt_total_engines: virustotal.detections.total } : {}),
    ...(exposure ? { shodan_open_ports: ports } : {}),
    ...(shodan?.organization === undefined ? {} : { shodan_org: shodan.organization }),
    ...(typeof abuseipdb?.score === 'number' ? { abuseipdb_confidence: abuseipdb.score } : {}),
  };
}
