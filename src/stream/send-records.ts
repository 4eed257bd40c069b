import { type OutRecord, sizeOf } from './records.ts';

/**
 * Most bytes that go to one partition at once: the library makes one batch of them, and brokers take batches of up to 1,048,588 bytes
 * (`message.max.bytes`) unless they are told otherwise.
 */
const PORTION_BYTES = 768 * 1024;

/** How records are handed to the brokers. */
export interface Outlet {
  /** Resolves when all are acknowledged. */
  send(records: readonly OutRecord[]): Promise<void>;
  /** Whether the brokers refused a record for its size. */
  isTooLarge(error: unknown): boolean;
}

/** A record that even as it was read is larger than the output's topic takes. */
export class RecordTooLargeError extends Error {
  override readonly name = 'RecordTooLargeError';
}

/**
 * Sends records and waits until all of them are acknowledged; those of one partition in their order. One that has become too large goes as
 * it was read. Gives the number of those.
 */
export async function sendRecords(outlet: Outlet, records: readonly OutRecord[]): Promise<number> {
  let tooLarge = 0;
  for (const portion of portionsOf(records)) {
    try {
      await outlet.send(portion);
    } catch (error) {
      if (!outlet.isTooLarge(error)) throw error;
      for (const record of portion) if (await isSentPlain(outlet, record)) tooLarge++;
    }
  }
  return tooLarge;
}

/** Sends one record; when it is refused for its size, as it was read. */
async function isSentPlain(outlet: Outlet, record: OutRecord): Promise<boolean> {
  try {
    await outlet.send([record]);
    return false;
  } catch (error) {
    if (!outlet.isTooLarge(error)) throw error;
  }
  const { from } = record;
  try {
    await outlet.send([{ ...record, value: from.value, headers: from.headers }]);
    return true;
  } catch (error) {
    if (!outlet.isTooLarge(error)) throw error;
    throw new RecordTooLargeError(
      `the record at offset ${from.offset} of ${from.topic}, partition ${from.partition}, is larger than ${record.topic} takes: raise max.message.bytes of that topic`,
      { cause: error },
    );
  }
}

/** The records in as few portions as the bound allows, each with some of every partition; one that is larger goes alone. */
function* portionsOf(records: readonly OutRecord[]): Generator<readonly OutRecord[]> {
  let left = records;
  while (left.length > 0) {
    const sizes = new Map<string, number>();
    const portion: OutRecord[] = [];
    const later: OutRecord[] = [];
    for (const record of left) {
      const place = `${record.topic}/${record.partition}`;
      const size = (sizes.get(place) ?? 0) + sizeOf(record);
      // A partition that is full stays so, or its records would change places.
      const isTaken = size <= PORTION_BYTES || !sizes.has(place);
      sizes.set(place, isTaken ? size : Infinity);
      (isTaken ? portion : later).push(record);
    }
    yield portion;
    left = later;
  }
}
