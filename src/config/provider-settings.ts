import * as z from 'zod/mini';
import { INDICATOR_TYPES } from '../model/indicator.ts';
import { TLP_LABELS } from '../model/tlp.ts';
import { type ClientCertificateSettings, clientCertificateShape } from './client-certificate-settings.ts';
import { settingMeta, toSnakeCase, type SettingsSchema } from './setting.ts';

/** Settings that every provider has besides its own. */
export interface CommonProviderSettings extends ClientCertificateSettings {
  readonly enabled?: boolean;
  readonly types?: readonly (typeof INDICATOR_TYPES)[number][];
  readonly fields?: readonly string[];
  readonly timeoutMs: number;
  readonly concurrency?: number;
  readonly perMinute?: number;
  readonly perDay?: number;
  readonly budgetPerDay?: number;
  readonly budgetPerMonth?: number;
  readonly creditPrice?: number;
  readonly bulk: boolean;
  readonly maxTlp?: (typeof TLP_LABELS)[number];
  readonly sendUrl: 'full' | 'no_query' | 'host';
  readonly sendEmail: 'full' | 'domain';
  readonly weight?: number;
  readonly proxy?: string;
  readonly caFile?: string;
}

const MAX_TIMEOUT_MS = 120_000;

/** `ISMALICIOUS_ENABLED`, `MISP_HQ_ENABLED`, …: the prefix of a provider's environment names. */
function prefixOf(id: string): string {
  return id.toUpperCase().replaceAll('.', '_');
}

type Declare = <T extends z.ZodMiniType>(key: string, schema: T, doc: string, secret?: boolean) => T;

/** The whole block of a provider: its own settings and those that all have. */
export function providerBlock(id: string, own: SettingsSchema): SettingsSchema {
  const setting: Declare = (key, schema, doc, secret = false) => {
    settingMeta.add(schema, { doc, env: `${prefixOf(id)}_${key}`, ...(secret ? { secret } : {}) });
    return schema;
  };
  return z.object({
    ...own.shape,
    enabled: setting('ENABLED', z.optional(z.boolean()), 'Whether it is asked; by default as soon as it has its key.'),
    types: setting(
      'TYPES',
      z.optional(z.array(z.enum(INDICATOR_TYPES)).check(z.minLength(1))),
      'Indicator types it is asked about; by default all it knows.',
    ),
    fields: setting(
      'FIELDS',
      z.optional(z.array(z.string().check(z.minLength(1))).check(z.minLength(1))),
      'Fields whose values it is asked about, as events or rows name them; * stands for any characters. By default all; what comes without a field is always asked.',
    ),
    timeoutMs: setting(
      'TIMEOUT_MS',
      z._default(z.int().check(z.gte(100), z.lte(MAX_TIMEOUT_MS)), 10_000),
      'Milliseconds one call may take, 100 to 120000.',
    ),
    concurrency: setting('CONCURRENCY', z.optional(z.int().check(z.gte(1), z.lte(256))), 'Calls in flight at once, 1 to 256.'),
    ...spendingShape(setting),
    bulk: setting('BULK', z._default(z.boolean(), true), 'Whether the form for many indicators in one call is used, where there is one.'),
    maxTlp: setting('MAX_TLP', z.optional(z.enum(TLP_LABELS)), 'Up to which TLP label indicators may be sent there.'),
    sendUrl: setting(
      'SEND_URL',
      z._default(z.enum(['full', 'no_query', 'host']), 'full'),
      'How much of a URL is sent there: full, no_query (without query and fragment) or host. What only the shorter form clears stays unknown.',
    ),
    sendEmail: setting(
      'SEND_EMAIL',
      z._default(z.enum(['full', 'domain']), 'full'),
      'How much of an e-mail address is sent there: full (if privacy.send_email_addresses allows it) or its domain.',
    ),
    weight: setting(
      'WEIGHT',
      z.optional(z.number().check(z.gte(0), z.lte(100))),
      'Weight of its score in the merged one, 0 to 100; 0: shown, not counted.',
    ),
    proxy: setting(
      'PROXY',
      z.optional(z.url()),
      'Proxy, http://user:password@host:port; special characters percent-encoded. By default HTTPS_PROXY and NO_PROXY decide.',
      true,
    ),
    caFile: setting('CA_FILE', z.optional(z.string()), 'PEM file with further certificate authorities; added to the built-in ones.'),
    ...clientCertificateShape((key, schema, doc, options) => setting(toSnakeCase(key).toUpperCase(), schema, doc, options?.secret)),
  }) as SettingsSchema;
}

/** How often it is asked, and what that may cost. */
function spendingShape(setting: Declare) {
  const count = () => z.int().check(z.gte(1));
  return {
    perMinute: setting('PER_MINUTE', z.optional(count()), 'Most calls in any minute, by all processes that share the cache file.'),
    perDay: setting('PER_DAY', z.optional(count()), 'Most calls in any 24 hours, by all processes that share the cache file.'),
    budgetPerDay: setting(
      'BUDGET_PER_DAY',
      z.optional(z.int().check(z.gte(0))),
      'Most credits spent in a day (UTC), by all processes that share the cache file; then over_budget.',
    ),
    budgetPerMonth: setting(
      'BUDGET_PER_MONTH',
      z.optional(z.int().check(z.gte(0))),
      'Most credits spent in a month (UTC), by all processes that share the cache file; then over_budget.',
    ),
    creditPrice: setting(
      'CREDIT_PRICE',
      z.optional(z.number().check(z.gte(0))),
      'What one credit costs, in your currency: `ismalicious report` multiplies by it.',
    ),
  };
}
