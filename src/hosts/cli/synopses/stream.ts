import { COMPRESSIONS } from '../../../stream/compressions.ts';
import { type Synopsis, text, texts } from '../synopsis.ts';
import { ENGINE_OPTIONS } from './shared-options.ts';

/** `ismalicious stream` */
export const streamSynopsis = {
  name: 'stream',
  group: 'Run',
  summary: 'Enrich the records of Kafka topics: read them as a consumer group, write them to another topic.',
  options: {
    brokers: text('HOST:PORT,…', 'brokers to begin with (default: kafka.brokers)'),
    in: text('TOPIC,…', 'topics to read'),
    out: text('TOPIC', 'topic to write to; or --out-suffix'),
    'out-suffix': text('TEXT', 'write to the topic of the record with this behind its name, such as .enriched'),
    dlq: text('TOPIC', 'topic for records that are not JSON objects, with the reason in headers (default: they go on as they are)'),
    group: text('NAME', 'consumer group; its members share the partitions (default: ismalicious)'),
    from: text('WHERE', 'where a new group begins: earliest (default) or latest', ['earliest', 'latest']),
    field: texts('FIELD,…', 'fields to look up, as dotted names (default: those of ECS)'),
    batch: text('N', 'most records at once (default 2000)'),
    compression: text('C', `of what is written: ${COMPRESSIONS.join(', ')} (default none)`, COMPRESSIONS),
    session: text('S', 'seconds without a sign of life after which others take its partitions (default 30)'),
    'metrics-port': text('P', 'serve /metrics, /healthz and /readyz there (default: not)'),
    'metrics-host': text('H', 'address of that port (default 127.0.0.1)'),
    ...ENGINE_OPTIONS,
    timeout: text('S', 'seconds a batch waits for look-ups (default 30); what is not known by then is marked in the record'),
  },
  examples: [
    ['stream --brokers k1:9092 --in logs --out logs.enriched --dlq logs.refused', 'until it is stopped'],
    ['stream --in dns,proxy --out-suffix .enriched --metrics-port 9464', 'two topics, brokers from the settings'],
  ],
  note: 'TLS and login are settings: kafka.tls, kafka.sasl, kafka.user, ISMALICIOUS_KAFKA_PASSWORD or kafka.password_file.',
} satisfies Synopsis;
