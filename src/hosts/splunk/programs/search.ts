// src/hosts/splunk/programs/: what splunkd starts, one file a program.
import { endShortly } from '../../../compose/process/end-shortly.ts';
import { CodeTiers } from '../protocol/v8-code-tiers.ts';
import { endProcess } from '../protocol/end-process.ts';
import { converse } from '../protocol/search-conversation.ts';
import { StandardInput, StandardOutput } from '../protocol/standard-streams.ts';
import { inertText } from '../../../model/formats/inert-text.ts';
import { loadEngine } from '../memory/load-engine.ts';

endShortly();
const tiers = new CodeTiers();

// Splunk starts this program several times a search, most times only for its getinfo reply. What the engine needs is loaded at the first row.
void converse({
  input: new StandardInput(),
  output: new StandardOutput(),
  now: Date.now,
  open: async (search, providers, profile, traces) => (await loadEngine()).openEngineForSearch(providers, search, profile, traces),
  remember: async (startedMs) => new (await import('../memory/search-memory.ts')).SearchMemory({ env: process.env, startedMs }),
  prepare: (bytes) => tiers.prepare(bytes),
  complain: (line) => void process.stderr.write(`${inertText(line)}\n`),
}).then(endProcess);
