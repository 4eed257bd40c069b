import type { EnrichedValue } from './enrich-records.ts';

/** A record as it was read. What has no key or value has `undefined` there; of several headers with one name all are kept. */
export interface InRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly leaderEpoch: number;
  readonly timestamp: bigint;
  readonly key: Buffer | undefined;
  readonly value: Buffer | undefined;
  readonly headers: ReadonlyMap<Buffer, Buffer>;
}

/** A record as it is written. */
export interface OutRecord {
  readonly topic: string;
  readonly partition: number;
  readonly timestamp: bigint;
  readonly key: Buffer | undefined;
  readonly value: Buffer | undefined;
  readonly headers: ReadonlyMap<Buffer, Buffer>;
  /** The record it was made of. */
  readonly from: InRecord;
}

/** Where records go. */
export interface Routes {
  outTopicOf(topic: string): string;
  /** Topic of records that are no events; `null`: they go on as they are, with the others. */
  readonly deadLetters: string | null;
}

/** The record that is written for one that was read: key, headers, time and partition stay as they were. */
export function toOutRecord(from: InRecord, { value, fault }: EnrichedValue, routes: Routes): OutRecord {
  const { partition, timestamp, key, headers } = from;
  const kept = { partition, timestamp, key, from };
  if (fault === null || routes.deadLetters === null) return { ...kept, topic: routes.outTopicOf(from.topic), value, headers };
  return { ...kept, topic: routes.deadLetters, value, headers: new Map([...headers, ...reasonHeaders(from, fault)]) };
}

/** Says in headers where a record comes from, and why it was put aside. */
function reasonHeaders({ topic, partition, offset }: InRecord, fault: string): [Buffer, Buffer][] {
  const said = { reason: fault, topic, partition: String(partition), offset: String(offset) };
  return Object.entries(said).map(([name, text]) => [Buffer.from(`ismalicious.${name}`), Buffer.from(text)]);
}

/** Bytes that a record takes on its way, roughly. */
export function sizeOf({ key, value, headers }: OutRecord): number {
  let size = RECORD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, text] of headers) size += HEADER_BYTES + name.length + (text?.length ?? 0);
  return size;
}

/** Lengths, time and offset of a record, and the lengths of a header. */
const RECORD_BYTES = 32;
const HEADER_BYTES = 8;
