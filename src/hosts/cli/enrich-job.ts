import type { Engine } from '../../engine/engine.ts';
import type { EnrichOptions } from '../../engine/enricher.ts';
import type { RunTally } from './outcome-code.ts';

/** One file to enrich. */
export interface EnrichJob {
  readonly engine: Engine;
  readonly input: NodeJS.ReadableStream;
  /** Columns or dotted fields; empty: the format's own. */
  readonly fields: readonly string[];
  readonly asked: EnrichOptions;
  /** Resolves when more may be written. */
  readonly write: (bytes: Buffer | string) => Promise<void>;
  readonly tally: RunTally;
  readonly progress: { show(text: string): void; end(): void };
}
