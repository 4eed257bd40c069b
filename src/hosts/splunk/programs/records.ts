import { endShortly } from '../../../compose/process/end-shortly.ts';
import { auditLogPath, readAuditLog } from '../../../engine/privacy/read-audit-log.ts';
import { findTraced } from '../../../engine/privacy/search-audit-log.ts';
import { inertText } from '../../../model/formats/inert-text.ts';
import { answerRecords } from '../commands/records-command.ts';
import { endProcess } from '../protocol/end-process.ts';
import { StandardInput, StandardOutput } from '../protocol/standard-streams.ts';
import { loadEngine } from '../memory/load-engine.ts';

// `| ismaliciousrecords`.
endShortly();
void answerRecords(
  { input: new StandardInput(), output: new StandardOutput(), complain: (line) => void process.stderr.write(`${inertText(line)}\n`) },
  async (search) => {
    const opened = await (await loadEngine()).openEngineForSearch(null, search);
    const { engine, config, feedback, warnings } = opened;
    const sent = (most: number) => readAuditLog(auditLogPath(config.stateFolder), most);
    const traced = (trace: string) => findTraced(auditLogPath(config.stateFolder), trace);
    const spent = async () =>
      (await (await import('../../../compose/figures/read-report.ts')).readRecentReport(opened, 7, Date.now())).callers;
    return { feedback, sent, traced, spent, warnings, close: () => engine.close() };
  },
  () => Math.trunc(Date.now() / 1000),
).then(endProcess);
