import { endShortly } from '../../../compose/process/end-shortly.ts';
import { answerCheck } from '../commands/check-command.ts';
import { endProcess } from '../protocol/end-process.ts';
import { StandardInput, StandardOutput } from '../protocol/standard-streams.ts';
import { inertText } from '../../../model/formats/inert-text.ts';
import { loadEngine } from '../memory/load-engine.ts';

// `| ismaliciouscheck`.
endShortly();
void answerCheck(
  { input: new StandardInput(), output: new StandardOutput(), complain: (line) => void process.stderr.write(`${inertText(line)}\n`) },
  async (search, providers, profile) => (await loadEngine()).openEngineForSearch(providers, search, profile),
).then(endProcess);
