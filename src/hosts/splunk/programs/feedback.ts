import { endShortly } from '../../../compose/process/end-shortly.ts';
import { endProcess } from '../protocol/end-process.ts';
import { answerFeedback } from '../commands/feedback-command.ts';
import { StandardInput, StandardOutput } from '../protocol/standard-streams.ts';
import { inertText } from '../../../model/formats/inert-text.ts';
import { loadEngine } from '../memory/load-engine.ts';

// `| ismaliciousfeedback`.
endShortly();
void answerFeedback(
  { input: new StandardInput(), output: new StandardOutput(), complain: (line) => void process.stderr.write(`${inertText(line)}\n`) },
  async (search) => (await loadEngine()).openEngineForSearch(null, search),
  () => Math.trunc(Date.now() / 1000),
).then(endProcess);
