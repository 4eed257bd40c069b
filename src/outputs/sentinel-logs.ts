import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { toEnrichmentJson } from '../mapping/enrichment-json.ts';
import { failureOf } from './forms/read-answer.ts';
import { azureSignIn } from './forms/azure-sign-in.ts';
import { defineOutput, type OutputItem } from './output.ts';
import { isoS } from './forms/item-summary.ts';

/** Azure cuts longer fields silently (service limit: 64 KB): we cut them ourselves and can be seen to. */
const MAX_FIELD_CHARS = 16_000;

const setting = declareSettings('outputs.sentinel_logs');
const Settings = z.object({
  tenantId: setting('tenantId', z.string().check(z.minLength(1)), 'Entra tenant.'),
  clientId: setting(
    'clientId',
    z.string().check(z.minLength(1)),
    'Application (client) id; it needs Monitoring Metrics Publisher on the data collection rule.',
  ),
  clientSecret: setting('clientSecret', z.string().check(z.minLength(1)), 'Client secret of that application.', { secret: true }),
  baseUrl: setting('baseUrl', endpoint(), 'Ingestion endpoint of the data collection rule or endpoint.'),
  ruleId: setting('ruleId', z.string().check(z.minLength(1)), 'Immutable id of the data collection rule, `dcr-…`.'),
  stream: setting(
    'stream',
    z._default(z.string().check(z.regex(/^Custom-\w+$/)), 'Custom-IsMalicious_CL'),
    'Stream of the rule, `Custom-…`.',
  ),
  loginUrl: setting('loginUrl', z._default(endpoint(), 'https://login.microsoftonline.com'), 'Where tokens are issued.'),
});

/** Microsoft Sentinel custom log table, by the Logs Ingestion API. It knows no duplicates: query can drop them by `EventId`. */
export const sentinelLogs = defineOutput<typeof Settings, null>({
  id: 'sentinel_logs',
  title: 'Microsoft Sentinel custom logs',
  docs: 'https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview',
  settings: Settings,
  defaults: { minScore: 70, tellsTurns: true },
  // 1 MB a call is a hard limit.
  limits: () => ({ items: 500, bytes: 950_000 }),
  signIn: azureSignIn('https://monitor.azure.com/.default'),
  start: (items, { settings, token }) => ({
    call: {
      kind: 'http',
      url: new URL(
        `${settings.baseUrl}/dataCollectionRules/${encodeURIComponent(settings.ruleId)}/streams/${encodeURIComponent(settings.stream)}?api-version=2023-01-01`,
      ),
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(items.map(rowOf)),
    },
    state: null,
  }),
  read: (answer, _step, items, { nowS }) => failureOf(answer, items, nowS) ?? { delivered: items },
});

function rowOf(item: OutputItem) {
  const json = toEnrichmentJson(item.enrichment);
  return {
    TimeGenerated: isoS(item.atS),
    EventId: item.key,
    EventType: item.event,
    Indicator: item.indicator.value.slice(0, MAX_FIELD_CHARS),
    IndicatorType: item.indicator.type,
    Verdict: json.verdict,
    Status: json.status,
    Score: json.score,
    Confidence: json.confidence,
    Tier: json.tier,
    Categories: json.categories,
    Sources: item.sources,
    Tags: item.tags,
    Tlp: item.tlp,
    FirstSeen: isoS(item.firstSeenS),
    LastSeen: isoS(item.lastSeenS),
    Providers: JSON.stringify(json.providers).slice(0, MAX_FIELD_CHARS),
    PreviousVerdict: item.before?.verdict ?? null,
    Note: item.note,
  };
}
