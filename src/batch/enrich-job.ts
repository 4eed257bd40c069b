// src/batch/: a file of rows, events or values in, the same file out with our answers; a run that was killed goes on where it stopped.
import type { Engine } from '../engine/engine.ts';
import type { EnrichOptions } from '../engine/enricher.ts';
import type { SightingForm } from '../pipeline/sightings/sighting-reader.ts';
import type { EcsDetail } from '../mapping/ecs-roll-up.ts';
import type { RunCounts } from './run-counts.ts';

/** One file to enrich. */
export interface EnrichJob {
  readonly engine: Engine;
  /** In UTF-8, unpacked. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Columns or dotted fields; empty: the format's own. */
  readonly fields: readonly string[];
  readonly asked: EnrichOptions;
  /** How much is written into events. */
  readonly detail: EcsDetail;
  /** Opens the input once more at its beginning, when `input` begins further on: a run goes on there. `null`: `input` is all of it. */
  readonly head: (() => AsyncIterable<Uint8Array>) | null;
  /** Whether an earlier run has written something that stands. */
  readonly hasOutput: boolean;
  /** Resolves when more may be written, and the bytes may be used for something else. */
  readonly write: (bytes: Buffer | string) => Promise<void>;
  /** Told of each text of events after it was written, to note who was seen with what; `undefined`: nobody wants that. */
  readonly note?: ((text: Buffer, form: SightingForm) => Promise<void>) | undefined;
  /** Told that so many more bytes of the input stand, enriched, in the output: a run that breaks off goes on behind them. */
  readonly done: (inputBytes: number) => Promise<void>;
  readonly tally: RunCounts;
  /** Whether what was read is enriched and written at once, since more may be long in coming. */
  readonly isLive: boolean;
  /** The byte between the cells of a CSV; `null`: it is found out. */
  readonly delimiter: number | null;
  /** Whether rows get a column that says where their answers come from. */
  readonly traces?: boolean;
  /** Something that the user should know, on a line of its own. */
  readonly warn: (text: string) => void;
  readonly progress: { show(text: string): void; end(): void };
}
