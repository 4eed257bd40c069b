import { endShortly } from '../../../compose/process/end-shortly.ts';
import { OutputClosedError } from '../../../rows/byte-streams.ts';
import type { ByteSource } from '../../../rows/byte-streams.ts';
import { LF } from '../../../rows/csv-cells.ts';
import { endProcess } from '../protocol/end-process.ts';
import { fillLookupTable } from '../../../rows/lookup-table.ts';
import { SearchNotes } from '../../../rows/search-notes.ts';
import { StandardInput, StandardOutput } from '../protocol/standard-streams.ts';
import { widen } from '../../../rows/value-table.ts';
import { loadEngine } from '../memory/load-engine.ts';

const FIRST_BYTES = 1 << 16;
const MAX_BYTES = 1 << 30;

/** The whole input, with the LF behind its end that the scanner relies on. */
async function readAll(input: ByteSource): Promise<{ bytes: Buffer; end: number }> {
  let bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  let end = 0;
  for (;;) {
    if (end + 1 >= bytes.length) bytes = widen(bytes, end + 1);
    const count = await input.read(bytes, end, bytes.length - 1 - end);
    if (count === 0) break;
    end += count;
    if (end > MAX_BYTES) throw new Error(`the table is larger than ${MAX_BYTES} bytes`);
  }
  bytes[end] = LF;
  return { bytes, end };
}

async function run(): Promise<number> {
  const notes = new SearchNotes();
  let close = () => Promise.resolve();
  let told: readonly string[] = [];
  try {
    const { bytes, end } = await readAll(new StandardInput());
    await fillLookupTable(bytes, end, {
      args: process.argv.slice(2),
      output: new StandardOutput(),
      notes,
      nowS: Math.trunc(Date.now() / 1000),
      open: async () => {
        const { openEngineForSearch } = await loadEngine();
        const { engine, warnings } = await openEngineForSearch(null);
        close = () => engine.close();
        told = warnings;
        return engine;
      },
    });
    for (const warning of told) notes.say('WARN', `isMalicious: ${warning}`);
    notes.sumUp();
    // A lookup has no other place to say why cells stayed empty than search.log.
    for (const [, text] of notes.take().inspector?.messages ?? []) process.stderr.write(`${text}\n`);
    return 0;
  } catch (error) {
    if (error instanceof OutputClosedError) return 0;
    // Splunk shows that the lookup failed; no row is given out half filled.
    process.stderr.write(`isMalicious: ${error instanceof Error ? error.message : 'unknown fault'}\n`);
    return 1;
  } finally {
    await close();
  }
}

endShortly();
void run().then(endProcess);
