// src/engine/as-numbers/: the autonomous system that an address belongs to, read from a MaxMind DB on this machine.
import { readFileSync } from 'node:fs';
import { type AsnResponse, Reader } from 'mmdb-lib';
import { errorMessage } from '../../model/formats/error-message.ts';
import { inertText } from '../../model/formats/inert-text.ts';
import { ipv4ToText } from '../../model/parsing/ipv4-address.ts';

/** Networks that are looked at for a first AS number, and those of them that something is said of. */
const MOST_NETWORKS = 10_000;
const MOST_RECORDS = 1000;
const ADDRESSES = 2 ** 32;
/** Addresses whose number is remembered: events name few addresses often, and a look-up in the file costs over a microsecond. */
const MOST_KNOWN = 10_000;

/** What a file is, for people. */
export interface AsDatabaseKind {
  readonly type: string;
  /** The day, in UTC; `null`: the file does not say. */
  readonly builtOn: string | null;
}

/** A MaxMind DB with AS numbers. */
export interface AsDatabase {
  readonly path: string;
  /** The number of the system that announces an address; `null`: the file knows none. */
  numberOf(address: string): number | null;
  /** Reads the file, unless that was done. */
  open(): void;
  /** Reads it again where it was read before: it has changed. What cannot be read leaves what was read last in use. */
  refresh(): void;
  /** Why it tells nothing, or nothing new, for people; `null`: it does, or nobody has asked it yet. */
  fault(): string | null;
  /** `null`: it cannot be read, or was not yet. */
  kind(): AsDatabaseKind | null;
}

/** The file as it was read last. */
interface Opened {
  readonly reader: Reader<AsnResponse> | null;
  readonly fault: string | null;
  /** Numbers that it gave, by address. */
  readonly known: Map<string, number | null>;
}

/** The file is read with the first address that is asked about. `onFault` is told what goes wrong from then on. */
export function asDatabaseAt(path: string, onFault: (message: string) => void = () => undefined): AsDatabase {
  let opened: Opened | null = null;
  const failed = (found: Opened): Opened => {
    if (found.fault !== null) onFault(`local.asn_database: ${found.fault}`);
    return found;
  };
  return {
    path,
    open: () => void (opened ??= read(path)),
    fault: () => opened?.fault ?? null,
    kind: () => kindOf(opened?.reader ?? null),
    numberOf(address) {
      opened ??= failed(read(path));
      const known = opened.known.get(address);
      if (known !== undefined || opened.reader === null) return known ?? null;
      try {
        const found = find(opened.reader, address);
        if (opened.known.size >= MOST_KNOWN) opened.known.clear();
        opened.known.set(address, found);
        return found;
      } catch (error) {
        opened = failed(unusable(brokenFault(path, error)));
        return null;
      }
    },
    refresh() {
      if (opened === null) return;
      const found = read(path);
      const isWorse = found.reader === null && opened.reader !== null;
      opened = failed(isWorse ? { ...opened, fault: `${found.fault}; what it said before is still used` } : found);
    },
  };
}

function read(path: string): Opened {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    return unusable(`${path} cannot be read (${code}): check the path and its permissions`);
  }
  try {
    const reader = new Reader<AsnResponse>(bytes);
    if (hasAsNumbers(reader)) return { reader, fault: null, known: new Map() };
    const type = inertText(String(reader.metadata.databaseType)).slice(0, 60);
    return unusable(`${path} (${type}) has no AS numbers: name a file that has, such as GeoLite2-ASN`);
  } catch (error) {
    return unusable(brokenFault(path, error));
  }
}

function unusable(fault: string): Opened {
  return { reader: null, fault, known: new Map() };
}

function find(reader: Reader<AsnResponse>, address: string): number | null {
  // The reader would look such an address up in a tree of IPv4 addresses by its first 32 bits.
  return reader.metadata.ipVersion === 4 && address.includes(':') ? null : numberIn(reader.get(address));
}

function brokenFault(path: string, error: unknown): string {
  return `${path} is not a MaxMind DB, or a broken one (${inertText(errorMessage(error)).slice(0, 100)}): fetch it again`;
}

/** Whether it is a file of the right kind: the first networks that anything is said of tell. A file without any may be one. */
function hasAsNumbers(reader: Reader<AsnResponse>): boolean {
  let records = 0;
  let address = 0;
  for (let networks = 0; address < ADDRESSES && networks < MOST_NETWORKS && records < MOST_RECORDS; networks += 1) {
    const [record, length] = reader.getWithPrefixLength(ipv4ToText(address));
    if (numberIn(record) !== null) return true;
    if (record !== null) records += 1;
    address += 2 ** (32 - length);
  }
  return records === 0;
}

/** As MaxMind and DB-IP name it, as IPinfo does (`AS64500`), and where MaxMind's Enterprise databases have it. */
function numberIn(record: unknown): number | null {
  const { autonomous_system_number: number, asn, traits } = (record ?? {}) as Record<string, unknown>;
  const within = (traits ?? {}) as Record<string, unknown>;
  const said = number ?? asn ?? within['autonomous_system_number'];
  const digits = typeof said === 'string' ? /^(?:AS)?(\d{1,10})$/i.exec(said)?.[1] : said;
  return digits === undefined ? null : Number(digits);
}

function kindOf(reader: Reader<AsnResponse> | null): AsDatabaseKind | null {
  if (reader === null) return null;
  const { databaseType, buildEpoch } = reader.metadata;
  const isDate = !Number.isNaN(buildEpoch.getTime());
  return { type: inertText(databaseType), builtOn: isDate ? buildEpoch.toISOString().slice(0, 10) : null };
}
