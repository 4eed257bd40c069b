import type { Engine } from '../../engine/engine.ts';
import type { EnrichOptions } from '../../engine/enricher.ts';
import type { SightingForm } from '../pipeline/sightings/sighting-reader.ts';
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
  /** Told of each text of events after it was written, to note who was seen with what; `undefined`: nobody wants that. */
  readonly note?: ((text: Buffer, form: SightingForm) => Promise<void>) | undefined;
  readonly tally: RunTally;
  readonly progress: { show(text: string): void; end(): void };
}
