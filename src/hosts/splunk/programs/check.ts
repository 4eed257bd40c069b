import { answerCheck } from '../check-command.ts';
import { endProcess } from '../end-process.ts';
import { StandardInput, StandardOutput } from '../standard-streams.ts';
import { inertText } from '../../../model/formats/inert-text.ts';

// `| ismaliciouscheck`.
void answerCheck(
  { input: new StandardInput(), output: new StandardOutput(), complain: (line) => void process.stderr.write(`${inertText(line)}\n`) },
  async (search, providers) => (await import('../open-search-engine.ts')).openSearchEngine(providers, search),
).then(endProcess);
