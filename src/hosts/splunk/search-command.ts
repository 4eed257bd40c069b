import { endProcess } from './end-process.ts';
import { converse } from './search-conversation.ts';
import { StandardInput, StandardOutput } from './standard-streams.ts';

// Splunk starts this program several times a search, most times only for its getinfo reply. What the engine needs is loaded at the first row.
void converse({
  input: new StandardInput(),
  output: new StandardOutput(),
  now: Date.now,
  open: async (search, providers) => (await import('./open-search-engine.ts')).openSearchEngine(providers, search),
  complain: (line) => void process.stderr.write(`${line}\n`),
}).then(endProcess);
