import * as z from 'zod/mini';
import { settingMeta, toSnakeCase } from '../../config/setting.ts';
import { isSafeEndpoint } from '../../model/parsing/safe-endpoint.ts';
import { parseCurve } from './score-curve.ts';

/** Declares the settings of one provider, so that every one has its doc and its environment name `<ID>_<KEY>`. */
export interface ProviderSettings {
  /** One setting of the provider's own; `doc` is one sentence with unit, range and what the edge does. */
  setting<T extends z.ZodMiniType>(key: string, schema: T, doc: string): T;
  /** A key that goes into a header or the body; `doc` says where to get it. */
  secret(key: string, doc: string): z.ZodMiniString;
  /** A key the provider can do without; `doc` says what works without it. */
  optionalSecret(key: string, doc: string): z.ZodMiniOptional<z.ZodMiniString>;
  /** A map from a count to a score, as text (`1:20,3:50`); `doc` says what is counted. */
  curve(key: string, points: string, doc: string): z.ZodMiniDefault<z.ZodMiniString>;
  /** `baseUrl`, the vendor's own by default. */
  baseUrl(vendor: string): z.ZodMiniDefault<z.ZodMiniString>;
  /** A further URL that credentials are sent to, such as a token service; `doc` says what answers there. */
  endpoint(key: string, vendor: string, doc: string): z.ZodMiniDefault<z.ZodMiniString>;
  /** `baseUrl` of a server that every customer runs on their own. */
  ownBaseUrl(): z.ZodMiniString;
}

/** The settings of the provider `id`. */
export function settingsOf(id: string): ProviderSettings {
  const declare = <T extends z.ZodMiniType>(key: string, schema: T, doc: string, secret = false): T => {
    settingMeta.add(schema, { doc, env: `${id}_${toSnakeCase(key)}`.toUpperCase(), ...(secret ? { secret } : {}) });
    return schema;
  };
  const own = 'https, or plain http to this machine only; a path prefix is kept.';
  return {
    setting: (key, schema, doc) => declare(key, schema, doc),
    secret: (key, doc) => declare(key, secretText(), doc, true),
    optionalSecret: (key, doc) => declare(key, z.optional(secretText()), doc, true),
    curve: (key, points, doc) =>
      declare(
        key,
        z._default(
          z.string().check(z.refine((text) => parseCurve(text) !== null, { error: 'has to be rising count:score pairs, like 1:20,3:50' })),
          points,
        ),
        `${doc} As count:score pairs, straight lines between them, flat after the last; scores 0 to 100.`,
      ),
    baseUrl: (vendor) => declare('baseUrl', z._default(endpointText(), vendor), `Where the API is: ${own}`),
    endpoint: (key, vendor, doc) => declare(key, z._default(endpointText(), vendor), `${doc} ${own[0]?.toUpperCase()}${own.slice(1)}`),
    ownBaseUrl: () => declare('baseUrl', endpointText(), `Where your server is: ${own}`),
  };
}

/** Printable ASCII, as a header may carry it; blanks and line ends around a pasted key are taken off. */
function secretText() {
  return z.string().check(z.trim(), z.regex(/^[\x21-\x7e]+$/, { error: 'has to be printable ASCII without blanks' }));
}

function endpointText() {
  return z.string().check(
    z.trim(),
    z.refine(isSafeEndpoint, { error: 'has to be an https URL without a password in it (plain http to this machine only)' }),
    z.refine((text) => !/[?#]/.test(text), { error: 'has to be without query and fragment' }),
    z.overwrite((text) => text.replace(/\/+$/, '')),
  );
}
