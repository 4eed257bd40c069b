import { join } from 'node:path';
import { openStore } from '../../store/store-client.ts';
import { createSightingReader, type SightingForm } from '../../pipeline/sightings/sighting-reader.ts';
import { DEFAULT_FIELDS } from '../../events/wanted-fields.ts';
import type { LoadedConfig } from '../../compose/engine-config.ts';

/** Rows gathered before they are written. */
const MAX_ROWS = 20_000;

/** Notes who was seen with what, in the pipeline's store, which is made when it is not there. */
export interface SightingNotes {
  note(text: Buffer, form: SightingForm): Promise<void>;
  /** Writes what is left. */
  close(): Promise<void>;
}

/** Opens the notes of one run. `fields`: columns or dotted names whose values count; empty: those of ECS. */
export async function openSightingNotes({ stateFolder }: LoadedConfig, fields: readonly string[]): Promise<SightingNotes> {
  const store = await openStore(join(stateFolder, 'pipeline.sqlite'));
  const reader = createSightingReader({
    fields: fields.length > 0 ? fields : DEFAULT_FIELDS,
    nowS: () => Math.floor(Date.now() / 1000),
  });
  const flush = async () => {
    if (reader.size > 0) await store.recordSightings(reader.drain());
  };
  return {
    async note(text, form) {
      reader.read(text.toString('utf8'), form);
      if (reader.size >= MAX_ROWS) await flush();
    },
    async close() {
      try {
        await flush();
      } finally {
        await store.close();
      }
    },
  };
}
