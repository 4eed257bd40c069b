import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { INDICATOR_TYPES } from '../model/indicator.ts';
import { failureOf } from './forms/read-answer.ts';
import { azureSignIn } from './forms/azure-sign-in.ts';
import { defineOutput } from './output.ts';
import { stixOf } from './forms/item-to-stix.ts';
import { isThreat } from './forms/item-summary.ts';

const setting = declareSettings('outputs.sentinel');
const Settings = z.object({
  tenantId: setting('tenantId', z.string().check(z.minLength(1)), 'Entra tenant.'),
  clientId: setting(
    'clientId',
    z.string().check(z.minLength(1)),
    'Application (client) id; it needs Microsoft Sentinel Contributor on the workspace.',
  ),
  clientSecret: setting('clientSecret', z.string().check(z.minLength(1)), 'Client secret of that application.', { secret: true }),
  workspaceId: setting('workspaceId', z.string().check(z.minLength(1)), 'Log Analytics workspace id.'),
  baseUrl: setting('baseUrl', z._default(endpoint(), 'https://api.ti.sentinel.azure.com'), 'Upload API; other clouds have others.'),
  loginUrl: setting('loginUrl', z._default(endpoint(), 'https://login.microsoftonline.com'), 'Where tokens are issued.'),
  validDays: setting(
    'validDays',
    z._default(z.int().check(z.gte(1), z.lte(365)), 30),
    'Days an indicator holds when its feed names no end, 1 to 365.',
  ),
});

const PartialFailure = z.object({
  errors: z.array(z.object({ recordIndex: z.int(), errorMessages: z._default(z.array(z.string()), () => []) })),
});

/** Microsoft Sentinel threat intelligence, by the STIX upload API. The same indicator has the same id: it is replaced, not doubled. */
export const sentinel = defineOutput<typeof Settings, null>({
  id: 'sentinel',
  title: 'Microsoft Sentinel threat intelligence',
  docs: 'https://learn.microsoft.com/azure/sentinel/stix-objects-api',
  settings: Settings,
  defaults: { minScore: 70, events: ['enriched', 'verdict_changed'] },
  accepts: isThreat,
  // The upload API knows no STIX vulnerabilities.
  types: INDICATOR_TYPES.filter((type) => type !== 'cve'),
  limits: () => ({ items: 100, bytes: 1_000_000 }),
  signIn: azureSignIn('https://management.azure.com/.default'),
  start: (items, { settings, token }) => ({
    call: {
      kind: 'http',
      url: new URL(
        `${settings.baseUrl}/workspaces/${encodeURIComponent(settings.workspaceId)}/threat-intelligence-stix-objects:upload?api-version=2024-02-01-preview`,
      ),
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ sourcesystem: 'isMalicious pack', stixobjects: items.map((item) => stixOf(item, settings.validDays)) }),
    },
    state: null,
  }),
  read(answer, _step, items, { nowS }) {
    const failure = failureOf(answer, items, nowS);
    if (failure) return failure;
    // 200 may carry failures of single objects.
    const partial = PartialFailure.safeParse(answer.body);
    const reasons = new Map(
      partial.success
        ? partial.data.errors.map(({ recordIndex, errorMessages }) => [recordIndex, errorMessages.join('; ').slice(0, 300)])
        : [],
    );
    return {
      delivered: items.filter((_, n) => !reasons.has(n)),
      rejected: items.flatMap((item, n) => (reasons.has(n) ? [{ item, reason: `Sentinel: ${reasons.get(n) || 'refused'}` }] : [])),
    };
  },
});
