// The search command on real pipes, with the made-up engine instead of ours. `wait`: look-ups never come back, only an abort ends them.
import type { EnrichOptions } from '../../src/engine/enricher.ts';
import type { Enrichment } from '../../src/model/enrichment.ts';
import { endProcess } from '../../src/hosts/splunk/protocol/end-process.ts';
import { converse } from '../../src/hosts/splunk/protocol/search-conversation.ts';
import { StandardInput, StandardOutput } from '../../src/hosts/splunk/protocol/standard-streams.ts';
import { FakeEnricher } from './fake-enricher.ts';

// A cancel is told from an input that was complete from the beginning by coming later than this.
const AFTER_WATCH_BEGAN_MS = 120;

class Waiting extends FakeEnricher {
  override enrichMany(values: Iterable<string>, options: EnrichOptions = {}): Promise<Map<string, Enrichment>> {
    setTimeout(() => process.stderr.write(`asked ${[...values].length}\n`), AFTER_WATCH_BEGAN_MS);
    return new Promise((_resolve, reject) => {
      options.signal?.addEventListener('abort', () => {
        process.stderr.write('aborted\n');
        reject(options.signal?.reason as Error);
      });
    });
  }
}

/** Answers after the watch has begun, so that the rest of the input comes through the stream. */
class Slow extends FakeEnricher {
  override async enrichMany(values: Iterable<string>, options: EnrichOptions = {}): Promise<Map<string, Enrichment>> {
    await new Promise((resolve) => setTimeout(resolve, 60));
    return super.enrichMany(values, options);
  }
}

const [way = ''] = process.argv.slice(2);
const engine = way === 'wait' ? new Waiting() : way === 'slow' ? new Slow() : new FakeEnricher();

void converse({
  input: new StandardInput(),
  output: new StandardOutput(),
  now: () => 1_700_000_000_000,
  open: () => {
    if (way === 'tell') process.stderr.write('opened\n');
    return Promise.resolve({ engine, warnings: [] });
  },
  complain: (line) => void process.stderr.write(`${line}\n`),
}).then(endProcess);
