import { writeFileSync } from 'node:fs';
import { type Command, EXIT, type Io, parseOptions, UsageError } from '../../cli/command.ts';
import { openConfigured, type ConfiguredPipeline } from '../open-configured.ts';
import { toReportPage } from '../report-page.ts';
import { exitCodeOf, type RunReport, toContractReport, toReportText } from '../run-report.ts';
import { type Pipeline, runPipeline } from '../run-pipeline.ts';
import { runOnSchedule, scheduleOf } from '../schedule.ts';
import { inertText } from '../../../model/inert-text.ts';

/** `ismalicious pipeline run|schedule` */
export const pipelineCommand: Command = {
  name: 'pipeline',
  usage: 'pipeline run|schedule [--config FILE] [--dry-run] [--only watchlist] [--json] [--report FILE]',
  summary: 'Read the feeds, look up what is new, tell the outputs; once, or on a schedule.',
  help: `  run                 one run; exit 0 all done, 1 no feed could be read, 3 some of it failed and is kept for the next run
  schedule            run by pipeline.schedule or every pipeline.every_minutes until stopped; one leader of several processes
  --dry-run           read the feeds and count; keep, look up and send nothing
  --only watchlist    check the watched indicators that are due and tell the outputs; read no feed
  --json              the run report as last line on stdout
  --report FILE       the run report as a page (.html) or as JSON
  --config FILE       settings (default: ISMALICIOUS_CONFIG)`,
  async run(args, io) {
    const { values, positionals } = parseOptions(args, {
      config: { type: 'string' },
      'dry-run': { type: 'boolean' },
      only: { type: 'string' },
      json: { type: 'boolean' },
      report: { type: 'string' },
    });
    const [what] = positionals;
    if (what !== 'run' && what !== 'schedule') throw new UsageError('pipeline wants run or schedule');
    if (what === 'schedule' && (values['dry-run'] || values.only)) throw new UsageError('--dry-run and --only go with run');
    if (values.only !== undefined && values.only !== 'watchlist') throw new UsageError('--only wants watchlist');
    const part = values.only === undefined ? {} : { only: 'watchlist' as const };
    const opened = await openConfigured({
      env: io.env,
      configPath: values.config,
      usesStore: false,
      keepsNothing: values['dry-run'] === true,
    });
    const stop = new AbortController();
    const onSignal = () => stop.abort();
    process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
    const show = (report: RunReport) => showReport(report, io, { isJson: values.json === true, path: values.report });
    try {
      for (const warning of opened.engine.warnings) io.stderr.write(`ismalicious: ${inertText(warning)}\n`);
      if (what === 'schedule') return await schedule(opened, { io, signal: stop.signal, show });
      const report = await runPipeline(withProgress(opened.pipeline, io), {
        signal: stop.signal,
        isDry: values['dry-run'] === true,
        ...part,
      });
      show(report);
      return exitCodeOf(report);
    } catch (error) {
      if (!stop.signal.aborted) throw error;
      io.stderr.write('ismalicious: stopped; what was accepted is kept and goes on with the next run\n');
      return EXIT.partial;
    } finally {
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

/** One line that is drawn over; only where somebody looks at it. */
function withProgress(pipeline: Pipeline, io: Io): Pipeline {
  if (!io.hasProgress) return pipeline;
  return {
    ...pipeline,
    onProgress({ stage, done, of }) {
      const filled = of === 0 ? 20 : Math.round((20 * done) / of);
      io.stderr.write(`\r\u001b[K${stage.padEnd(9)}${'█'.repeat(filled)}${'░'.repeat(20 - filled)} ${done}/${of}${done >= of ? '\n' : ''}`);
    },
  };
}
