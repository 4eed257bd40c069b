import type { Command } from './command.ts';
import type { Synopsis } from './synopsis.ts';
import { backfillSynopsis, elasticSynopsis, replaySynopsis } from './synopses/engines.ts';
import { cacheSynopsis, feedbackSynopsis, reportSynopsis, storeSynopsis } from './synopses/keep.ts';
import { checkSynopsis, enrichSynopsis, extractSynopsis, planSynopsis } from './synopses/look-up.ts';
import { pipelineSynopsis, serveSynopsis, triageSynopsis, watchSynopsis } from './synopses/run.ts';
import { completionSynopsis, configSynopsis, doctorSynopsis } from './synopses/set-up.ts';

/** A command as the program knows it: described at once, loaded when it is called. */
export interface CommandEntry {
  readonly synopsis: Synopsis;
  load(): Promise<Command>;
}

/** All commands, in the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  { synopsis: checkSynopsis, load: async () => (await import('./check.ts')).check },
  { synopsis: enrichSynopsis, load: async () => (await import('./enrich.ts')).enrich },
  { synopsis: extractSynopsis, load: async () => (await import('./extract.ts')).extract },
  { synopsis: planSynopsis, load: async () => (await import('./plan.ts')).plan },
  { synopsis: serveSynopsis, load: async () => (await import('./serve.ts')).serve },
  { synopsis: pipelineSynopsis, load: async () => (await import('../pipeline/commands/pipeline.ts')).pipelineCommand },
  { synopsis: watchSynopsis, load: async () => (await import('../pipeline/commands/watch.ts')).watchCommand },
  { synopsis: triageSynopsis, load: async () => (await import('../pipeline/commands/triage.ts')).triageCommand },
  { synopsis: elasticSynopsis, load: async () => (await import('./elastic/command.ts')).elastic },
  { synopsis: backfillSynopsis, load: async () => (await import('./elastic/backfill-command.ts')).backfillCommand },
  { synopsis: replaySynopsis, load: async () => (await import('./replay.ts')).replay },
  { synopsis: storeSynopsis, load: async () => (await import('../pipeline/commands/store.ts')).storeCommand },
  { synopsis: cacheSynopsis, load: async () => (await import('./cache.ts')).cache },
  { synopsis: feedbackSynopsis, load: async () => (await import('./feedback.ts')).feedback },
  { synopsis: reportSynopsis, load: async () => (await import('./report.ts')).report },
  { synopsis: configSynopsis, load: async () => (await import('./config.ts')).config },
  { synopsis: doctorSynopsis, load: async () => (await import('./doctor.ts')).doctor },
  { synopsis: completionSynopsis, load: async () => (await import('./completion.ts')).completion },
];
