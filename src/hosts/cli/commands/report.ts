import { hostname } from 'node:os';
import { reportText } from '../../../engine/feedback/report-text.ts';
import { readReport } from '../../../compose/figures/read-report.ts';
import { weeklyDocuments } from '../../../compose/figures/report-documents.ts';
import { openEngine } from '../../../compose/open-engine.ts';
import { type Command, EXIT, parseCount } from '../command.ts';
import { parseOptions } from '../parse-options.ts';
import { reportSynopsis } from '../synopses/keep.ts';
import { warn } from '../messages.ts';
import { openEngineAccess } from '../search-engine-options.ts';
import { REPORT_INDEX, writeReport } from '../../../search-engine/write-report.ts';

/** `ismalicious report` */
export const report: Command = {
  synopsis: reportSynopsis,
  async run(args, io) {
    const { values } = parseOptions(args, reportSynopsis);
    const days = values.days === undefined ? 7 : parseCount(values.days, '--days', 1);
    const access = values.index ? openEngineAccess(values, io) : null;
    const opened = await openEngine({ env: io.env, configPath: values.config, profile: values.profile });
    warn(io, opened.warnings);
    try {
      if (access !== null) {
        const { written, before } = await writeReport(
          access.engine,
          await weeklyDocuments(opened, { nowMs: Date.now(), host: hostname() }),
        );
        io.stdout.write(`${written} documents written into ${REPORT_INDEX} of ${access.engine.name}, ${before} were there before\n`);
        return EXIT.ok;
      }
      const whole = await readReport(opened, { nowMs: Date.now(), days });
      io.stdout.write(values.json ? `${JSON.stringify(whole)}\n` : `${reportText(whole)}\n`);
      return EXIT.ok;
    } finally {
      await Promise.all([opened.engine.close(), access?.close()]);
    }
  },
};
