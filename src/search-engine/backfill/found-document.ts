import { memberOf } from '../engine-client.ts';
import type { Source } from './document-values.ts';

/** A document that was found, and the version at which it was read. */
export interface FoundDocument {
  readonly index: string;
  readonly id: string;
  /** What it was put with instead of its id to find its shard; `null`: nothing. Whoever names the document has to name it too. */
  readonly routing: string | null;
  readonly seqNo: number;
  readonly primaryTerm: number;
  readonly source: Source;
}

/** A call that the engine refused; `status`: its HTTP status. */
export class EngineFault extends Error {
  override readonly name = 'EngineFault';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Reads a hit of a search, or a document of a multi get. */
export function readDocument(hit: unknown): FoundDocument {
  const [index, id, seqNo, primaryTerm] = ['_index', '_id', '_seq_no', '_primary_term'].map((name) => memberOf(hit, name));
  if (typeof index !== 'string' || typeof id !== 'string' || typeof seqNo !== 'number' || typeof primaryTerm !== 'number')
    throw new EngineFault(200, 'a document without index, id or sequence number');
  const source = memberOf(hit, '_source');
  const routing = memberOf(hit, '_routing');
  return {
    index,
    id,
    routing: typeof routing === 'string' ? routing : null,
    seqNo,
    primaryTerm,
    source: typeof source === 'object' && source !== null ? (source as Source) : {},
  };
}
