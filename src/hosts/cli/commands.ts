import type { Command } from './command.ts';
import type { Synopsis } from './synopsis.ts';
import { convertSynopsis, mcpSynopsis } from './synopses/connect.ts';
import { backfillSynopsis, elasticSynopsis, replaySynopsis } from './synopses/engines.ts';
import { cacheSynopsis, feedbackSynopsis, listsSynopsis, reportSynopsis, storeSynopsis, traceSynopsis } from './synopses/keep.ts';
import { checkSynopsis, enrichSynopsis, extractSynopsis, planSynopsis } from './synopses/look-up.ts';
import { deliverSynopsis, pipelineSynopsis, serveSynopsis, triageSynopsis, watchSynopsis } from './synopses/run.ts';
import { completionSynopsis, configSynopsis, doctorSynopsis, initSynopsis, quotaSynopsis, selftestSynopsis } from './synopses/set-up.ts';
import { streamSynopsis } from './synopses/stream.ts';

/** A command as the program knows it: described at once, loaded when it is called. */
export interface CommandEntry {
  readonly synopsis: Synopsis;
  load(): Promise<Command>;
}

/** All commands, in the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  { synopsis: checkSynopsis, load: async () => (await import('./commands/check.ts')).check },
  { synopsis: enrichSynopsis, load: async () => (await import('./commands/enrich.ts')).enrich },
  { synopsis: extractSynopsis, load: async () => (await import('./commands/extract.ts')).extract },
  { synopsis: planSynopsis, load: async () => (await import('./commands/plan.ts')).plan },
  { synopsis: serveSynopsis, load: async () => (await import('./commands/serve.ts')).serve },
  { synopsis: mcpSynopsis, load: async () => (await import('./commands/connect/mcp.ts')).mcp },
  { synopsis: streamSynopsis, load: async () => (await import('./commands/kafka/stream.ts')).streamCommand },
  { synopsis: pipelineSynopsis, load: async () => (await import('./commands/pipeline.ts')).pipelineCommand },
  { synopsis: deliverSynopsis, load: async () => (await import('./commands/journal/deliver.ts')).deliverCommand },
  { synopsis: watchSynopsis, load: async () => (await import('./commands/watch.ts')).watchCommand },
  { synopsis: triageSynopsis, load: async () => (await import('./commands/triage.ts')).triageCommand },
  { synopsis: elasticSynopsis, load: async () => (await import('./commands/elastic.ts')).elastic },
  { synopsis: backfillSynopsis, load: async () => (await import('./commands/backfill.ts')).backfillCommand },
  { synopsis: replaySynopsis, load: async () => (await import('./commands/replay.ts')).replay },
  { synopsis: storeSynopsis, load: async () => (await import('./commands/store.ts')).storeCommand },
  { synopsis: cacheSynopsis, load: async () => (await import('./commands/cache.ts')).cache },
  { synopsis: feedbackSynopsis, load: async () => (await import('./commands/feedback.ts')).feedback },
  { synopsis: listsSynopsis, load: async () => (await import('./commands/journal/lists.ts')).lists },
  { synopsis: traceSynopsis, load: async () => (await import('./commands/journal/trace.ts')).trace },
  { synopsis: reportSynopsis, load: async () => (await import('./commands/report.ts')).report },
  { synopsis: initSynopsis, load: async () => (await import('./commands/init.ts')).init },
  { synopsis: configSynopsis, load: async () => (await import('./commands/config.ts')).config },
  { synopsis: convertSynopsis, load: async () => (await import('./commands/connect/convert.ts')).convertCommand },
  { synopsis: doctorSynopsis, load: async () => (await import('./commands/doctor.ts')).doctor },
  { synopsis: quotaSynopsis, load: async () => (await import('./commands/quota.ts')).quota },
  { synopsis: selftestSynopsis, load: async () => (await import('./commands/trial/selftest.ts')).selftest },
  { synopsis: completionSynopsis, load: async () => (await import('./completion.ts')).completion },
];
