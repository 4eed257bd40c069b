import { writeFileSync } from 'node:fs';
import type { Pipeline } from '../../../pipeline/pipeline.ts';
import { type Command, EXIT, type Io, UsageError } from '../command.ts';
import { parseOptions } from '../parse-options.ts';
import { openProgress, type Progress } from '../waiting/progress.ts';
import { pipelineSynopsis } from '../synopses/run.ts';
import { openConfiguredPipeline, type ConfiguredPipeline } from '../../../compose/open-configured-pipeline.ts';
import { toReportPage } from '../../../pipeline/report-page.ts';
import { exitCodeOf, type RunReport, toContractReport, toReportText } from '../../../pipeline/run-report.ts';
import { NotLeaderError, runPipeline } from '../../../pipeline/run-pipeline.ts';
import { runOnSchedule, scheduleOf } from '../../../pipeline/schedule.ts';
import { inertText } from '../../../model/formats/inert-text.ts';

/** `ismalicious pipeline run|schedule` */
export const pipelineCommand: Command = {
  synopsis: pipelineSynopsis,
  async run(args, io) {
    const { values, action: what } = parseOptions(args, pipelineSynopsis);
    if (what === 'schedule' && (values['dry-run'] || values.only)) throw new UsageError('--dry-run and --only go with run');
    if (values.only !== undefined && values.only !== 'watchlist') throw new UsageError('--only wants watchlist');
    const part = values.only === undefined ? {} : { only: 'watchlist' as const };
    const opened = await openConfiguredPipeline({
      env: io.env,
      configPath: values.config,
      profile: values.profile,
      usesStore: false,
      keepsNothing: values['dry-run'] === true,
    });
    const stop = new AbortController();
    const onSignal = () => stop.abort();
    process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
    const show = (report: RunReport) => showReport(report, io, { isJson: values.json === true, path: values.report });
    const progress = await openProgress(io);
    try {
      for (const warning of opened.engine.warnings) io.stderr.write(`ismalicious: ${inertText(warning)}\n`);
      if (what === 'schedule') return await schedule(opened, { io, signal: stop.signal, show });
      const report = await runPipeline(withProgress(opened.pipeline, progress), {
        signal: stop.signal,
        isDry: values['dry-run'] === true,
        ...part,
      });
      progress.end();
      show(report);
      return exitCodeOf(report);
    } catch (error) {
      if (error instanceof NotLeaderError) {
        io.stderr.write(`ismalicious: ${error.message}\n`);
        return EXIT.busy;
      }
      if (!stop.signal.aborted) throw error;
      io.stderr.write('ismalicious: stopped; what was accepted is kept and goes on with the next run\n');
      return EXIT.partial;
    } finally {
      progress.end();
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
      await opened.close();
    }
  },
};

async function schedule(
  { pipeline }: ConfiguredPipeline,
  { io, signal, show }: { io: Io; signal: AbortSignal; show: (report: RunReport) => void },
): Promise<number> {
  await runOnSchedule(
    pipeline,
    {
      ...scheduleOf(pipeline.config.pipeline, pipeline.config.watchlist),
      onRun: (outcome) => (outcome instanceof Error ? io.stderr.write(`ismalicious: ${inertText(outcome.message)}\n`) : show(outcome)),
    },
    signal,
  );
  return EXIT.ok;
}

function showReport(report: RunReport, io: Io, { isJson, path }: { isJson: boolean; path: string | undefined }): void {
  io.stderr.write(toReportText(report));
  if (path !== undefined)
    writeFileSync(path, path.endsWith('.html') ? toReportPage(report) : `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 });
  if (isJson) io.stdout.write(`${JSON.stringify(toContractReport(report))}\n`);
}

function withProgress(pipeline: Pipeline, progress: Progress): Pipeline {
  return { ...pipeline, onProgress: ({ stage, done, of }) => progress.show(`${stage} ${done} of ${of}`, of === 0 ? 1 : done / of) };
}
