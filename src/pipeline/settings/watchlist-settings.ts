import * as z from 'zod/mini';
import { declareSettings } from '../../config/setting.ts';
import { cronExpression } from './pipeline-settings.ts';

const setting = declareSettings('watchlist');
const whole = (least: number, most: number) => z.int().check(z.gte(least), z.lte(most));

/** The block `watchlist`: watched indicators, and the index of who was seen with what. */
export const WatchlistSettings = z.object({
  everyHours: setting('everyHours', z._default(whole(1, 8760), 24), 'Hours between two checks of a watched indicator, 1 to 8760.'),
  schedule: setting(
    'schedule',
    z.optional(cronExpression()),
    'Cron expression (5 fields, UTC) by which `pipeline schedule` checks the watchlist between its runs; unset: with the runs alone.',
  ),
  maxWatched: setting('maxWatched', z._default(whole(1, 1_000_000), 10_000), 'Most indicators on the watchlist.'),
  lookBackDays: setting(
    'lookBackDays',
    z._default(whole(1, 3650), 30),
    'How far back sightings are shown when an indicator turns out to be a threat.',
  ),
  recordSightings: setting(
    'recordSightings',
    z._default(z.boolean(), true),
    'Whether programs that see events note who was seen with what, where there is a pipeline store; false: never.',
  ),
  sightingDays: setting('sightingDays', z._default(whole(1, 3650), 90), 'Days a sighting is kept.'),
  maxSightings: setting(
    'maxSightings',
    z._default(whole(1000, 1_000_000_000), 5_000_000),
    'Most rows of the sighting index; beyond it the oldest days go.',
  ),
});
