import * as z from 'zod/mini';
import { TIERS } from '../../model/enrichment.ts';
import { declareSettings, endpoint } from '../../config/setting.ts';

/** What a tier asks for. None of them blocks or deletes anything. */
export const TRIAGE_ACTIONS = ['create_incident', 'notify_soc', 'create_alert', 'assign_analyst', 'add_to_watchlist', 'log'] as const;

export type TriageAction = (typeof TRIAGE_ACTIONS)[number];

const setting = declareSettings('triage');
const actions = (...fallback: TriageAction[]) => z._default(z.array(z.enum(TRIAGE_ACTIONS)), fallback);
const words = (...fallback: string[]) => z._default(z.array(z.string()), fallback);

/** The block `triage`: the playbook's table, and what an alert tells about its own outcome. */
export const TriageSettings = z.object({
  p1: setting('p1', actions('create_incident', 'notify_soc'), 'What tier p1 asks for.'),
  p2: setting('p2', actions('create_alert', 'assign_analyst'), 'What tier p2 asks for.'),
  watch: setting('watch', actions('log', 'add_to_watchlist'), 'What tier watch asks for.'),
  log: setting('log', actions('log'), 'What tier log asks for.'),
  review: setting('review', actions('assign_analyst'), 'What is asked for when there is no score.'),
  blockedWords: setting(
    'blockedWords',
    words('blocked', 'block', 'denied', 'deny', 'drop', 'dropped', 'reject', 'rejected', 'prevented', 'quarantined'),
    'Words in the action of an alert that mean nothing got through: the tier goes one down. Beside words of doubt (not, would, failed, continue) they do not count.',
  ),
  allowedWords: setting(
    'allowedWords',
    words('allowed', 'allow', 'accept', 'accepted', 'permit', 'permitted', 'success'),
    'Words that mean it got through.',
  ),
  bytesOut: setting(
    'bytesOut',
    z._default(z.int().check(z.gte(1)), 1_000_000),
    'Bytes sent out by an allowed flow from which the tier goes one up.',
  ),
  alertsUrl: setting('alertsUrl', z.optional(endpoint()), 'Elasticsearch or OpenSearch whose alerts are triaged; unset: none.'),
  alertsIndex: setting(
    'alertsIndex',
    z._default(z.string(), '.alerts-security.alerts-default'),
    'Index, alias or pattern of those alerts.',
  ),
  alertsApiKey: setting(
    'alertsApiKey',
    z._default(z.string(), ''),
    'Elasticsearch API key, ready base64; it needs read and write on the index.',
    { secret: true },
  ),
  kibanaUrl: setting(
    'kibanaUrl',
    z.optional(endpoint()),
    'Kibana, with its space (`/s/NAME`): a case that holds a triaged alert gets the decision as a comment, by the same API key; unset: none.',
  ),
  alertsAcknowledge: setting(
    'alertsAcknowledge',
    z._default(z.array(z.enum(TIERS)), []),
    'Tiers whose open alerts in Kibana become acknowledged once they are triaged; empty: none. Alerts are never closed.',
  ),
  watchDays: setting(
    'watchDays',
    z._default(z.int().check(z.gte(1), z.lte(3650)), 30),
    'Days an indicator stays on the watchlist when triage put it there.',
  ),
});

export type TriageRules = z.output<typeof TriageSettings>;
