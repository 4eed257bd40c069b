// src/pipeline/settings/: the pipeline's blocks of the configuration.
import * as z from 'zod/mini';
import { type ClientCertificateSettings, clientCertificateShape } from '../../config/client-certificate-settings.ts';
import { declareSettings, type SettingsSchema } from '../../config/setting.ts';
import type { Feed } from '../../feeds/feed.ts';
import { TIERS } from '../../model/enrichment.ts';
import { INDICATOR_TYPES } from '../../model/indicator.ts';
import { TLP_LABELS } from '../../model/tlp.ts';
import type { Output } from '../../outputs/output.ts';
import { parseCron } from './cron.ts';
import { halfLifeDays } from './half-life-setting.ts';

const whole = (least: number, most: number) => z.int().check(z.gte(least), z.lte(most));

const setting = declareSettings('pipeline');

/** Five cron fields; what is wrong with others is said in the fault. */
export function cronExpression() {
  return z.string().check(
    z.superRefine((text, context) => {
      const read = parseCron(text);
      if (typeof read === 'string') context.addIssue({ code: 'custom', message: read, input: text });
    }),
  );
}

/** The block `pipeline`. */
export const PipelineSettings = z.object({
  everyMinutes: setting(
    'everyMinutes',
    z._default(whole(5, 10_080), 240),
    'Minutes between scheduled runs, 5 to 10080; counted from midnight UTC.',
  ),
  schedule: setting(
    'schedule',
    z.optional(cronExpression()),
    'Cron expression (5 fields, UTC) for scheduled runs, for example `17 */4 * * 1-5`; takes the place of every_minutes.',
  ),
  jitterSeconds: setting(
    'jitterSeconds',
    z._default(whole(0, 3600), 120),
    'A scheduled run starts up to this many seconds late, at random, so that not everybody asks at once.',
  ),
  budget: setting(
    'budget',
    z.optional(whole(0, 10_000_000)),
    'Most paid look-ups in one run; what is left stays due for the next one. By default the budgets of the providers alone.',
  ),
  maxTlp: setting(
    'maxTlp',
    z._default(z.enum(TLP_LABELS), 'GREEN'),
    'Indicators marked more strictly are kept but never looked up; unmarked ones are looked up.',
  ),
  batchSize: setting('batchSize', z._default(whole(1, 10_000), 500), 'Indicators looked up at once, 1 to 10000.'),
  maxPending: setting(
    'maxPending',
    z._default(whole(1, 10_000_000), 100_000),
    'Most messages that wait for one output; beyond it judgements wait in the store.',
  ),
  maxTries: setting('maxTries', z._default(whole(1, 100), 8), 'Tries after which a message goes into quarantine, 1 to 100.'),
  patienceSeconds: setting(
    'patienceSeconds',
    z._default(whole(0, 86_400), 300),
    'How long a run waits for outputs that are busy; the rest goes with the next run.',
  ),
  keepDays: setting('keepDays', z._default(whole(1, 36_500), 365), 'Indicators that were not confirmed for so many days are deleted.'),
  keepDeliveredDays: setting(
    'keepDeliveredDays',
    z._default(whole(1, 3650), 30),
    'Days after which delivered messages leave the journal; their counts stay.',
  ),
  halfLifeDays,
});

/** Settings that every feed has besides its own. */
export interface CommonFeedSettings extends ClientCertificateSettings {
  readonly enabled: boolean;
  readonly timeoutMs: number;
  readonly proxy?: string;
  readonly caFile?: string;
}

/** The whole block of a feed. */
export function feedBlock({ id, settings }: Feed): SettingsSchema {
  return z.object({ ...settings.shape, ...commonShape(`feeds.${id}`, 'read', 60_000) });
}

/** Settings that every output has besides its own. */
export interface CommonOutputSettings extends CommonFeedSettings {
  readonly dryRun: boolean;
  readonly minScore?: number;
  readonly tiers: readonly (typeof TIERS)[number][];
  readonly types: readonly (typeof INDICATOR_TYPES)[number][];
  readonly events: readonly ('enriched' | 'verdict_changed' | 'triage')[];
  readonly maxTlp: (typeof TLP_LABELS)[number];
}

/** The whole block of an output. */
export function outputBlock({ id, settings, defaults }: Output): SettingsSchema {
  const own = declareSettings(`outputs.${id}`);
  const score = whole(0, 100);
  return z.object({
    ...settings.shape,
    ...commonShape(`outputs.${id}`, 'used', 30_000),
    dryRun: own('dryRun', z._default(z.boolean(), defaults.dryRun === true), 'Count what would be sent, and send nothing.'),
    minScore: own(
      'minScore',
      defaults.minScore === undefined ? z.optional(score) : z._default(score, defaults.minScore),
      'Lowest score that is sent, 0 to 100; with it set, indicators without a score are not sent.',
    ),
    tiers: own('tiers', z._default(z.array(z.enum(TIERS)), [...(defaults.tiers ?? [])]), 'Tiers that are sent; empty: all.'),
    types: own('types', z._default(z.array(z.enum(INDICATOR_TYPES)), []), 'Indicator types that are sent; empty: all it has a form for.'),
    events: own(
      'events',
      z._default(z.array(z.enum(['enriched', 'verdict_changed', 'triage'])), [...(defaults.events ?? [])]),
      'Events that are sent: enriched, verdict_changed, triage; empty: all.',
    ),
    maxTlp: own(
      'maxTlp',
      z._default(z.enum(TLP_LABELS), defaults.maxTlp ?? 'AMBER'),
      'Strictest TLP label that is sent; unmarked indicators count as AMBER.',
    ),
  });
}

function commonShape(block: string, verb: string, timeoutMs: number) {
  const own = declareSettings(block);
  return {
    enabled: own('enabled', z._default(z.boolean(), false), `Whether it is ${verb}.`),
    timeoutMs: own('timeoutMs', z._default(whole(100, 600_000), timeoutMs), 'Milliseconds one call may take, 100 to 600000.'),
    proxy: own('proxy', z.optional(z.url()), 'Proxy, http://user:password@host:port. By default HTTPS_PROXY and NO_PROXY decide.', {
      secret: true,
    }),
    caFile: own('caFile', z.optional(z.string()), 'PEM file with further certificate authorities; added to the built-in ones.'),
    ...clientCertificateShape(own),
  };
}
