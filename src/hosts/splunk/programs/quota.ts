import { endShortly } from '../../../compose/process/end-shortly.ts';
import { endProcess } from '../protocol/end-process.ts';
import { answerQuota } from '../commands/quota-command.ts';
import { StandardInput, StandardOutput } from '../protocol/standard-streams.ts';
import { inertText } from '../../../model/formats/inert-text.ts';
import { loadEngine } from '../memory/load-engine.ts';

// `| ismaliciousquota`.
endShortly();
void answerQuota(
  { input: new StandardInput(), output: new StandardOutput(), complain: (line) => void process.stderr.write(`${inertText(line)}\n`) },
  async (search) => {
    const opened = await (await loadEngine()).openEngineForSearch(null, search);
    const { engine, warnings } = opened;
    const report = async () =>
      (await import('../../../compose/figures/read-report.ts')).readSpentReport(opened, { nowMs: Date.now(), days: 7 });
    return { stats: engine.stats(), store: engine.store, warnings, report, close: () => engine.close() };
  },
).then(endProcess);
