// What the setup page asks for, made from the settings the providers declare: a new provider is on the page without a change here.
import type { Field, ProviderForm } from '../splunk-ui/setup/fields.mts';
import { settingMeta, toSnakeCase } from '../src/config/setting.ts';
import { loadProviders } from '../src/providers/registry.ts';
import type { Provider } from '../src/providers/provider.ts';

const providers = await loadProviders();

const REMOTE = 'remote';

/** Labels that say more than the setting's name. */
const LABELS: Readonly<Record<string, string>> = {
  x_api_key: 'API key (base64)',
  api_key: 'API key',
  api_secret: 'API secret',
  base_url: 'Base URL',
  login_url: 'Login URL',
  tenant_id: 'Tenant ID',
  client_id: 'Client ID',
  client_secret: 'Client secret',
};

const PROXY: Field = {
  key: 'proxy',
  kind: 'secret',
  label: 'Proxy',
  help: 'http://host:port or http://user:password@host:port, special characters percent-encoded. Kept like a key. Empty: HTTPS_PROXY and NO_PROXY decide.',
  preset: '',
  check: 'proxy',
};

/** The setup page's sections, in the order of the registry. */
export function setupForms(): ProviderForm[] {
  return providers.map((provider) => ({
    id: provider.id,
    title: provider.id === REMOTE ? 'Sidecar (remote)' : provider.title,
    docs: provider.docs,
    fields: [...switchOf(provider), ...ownFields(provider), PROXY],
  }));
}

function ownFields({ id, settings }: Provider): Field[] {
  return Object.entries(settings.shape).flatMap(([name, schema]): Field[] => {
    const key = toSnakeCase(name);
    const { doc = '', secret = false } = settingMeta.get(schema) ?? {};
    const { type, innerType, defaultValue } = schema._zod.def as {
      type: string;
      innerType?: { _zod: { def: { type: string } } };
      defaultValue?: unknown;
    };
    const isText = type === 'string' || innerType?._zod.def.type === 'string';
    // Curves (`1:20,3:50`) and the like are for those who open the file.
    const isTuning = !secret && type === 'default' && !key.endsWith('_url');
    if (!isText || isTuning) return [];
    const label = id === REMOTE && secret ? 'Token' : (LABELS[key] ?? `${key[0]?.toUpperCase()}${key.slice(1).replaceAll('_', ' ')}`);
    const check = key.endsWith('_url') ? 'endpoint' : secret ? 'printable' : 'none';
    return [
      { key, kind: secret ? 'secret' : 'text', label, help: doc, preset: typeof defaultValue === 'string' ? defaultValue : '', check },
    ];
  });
}

/** A source that works without a key is asked only when somebody says so. */
function switchOf({ id, settings }: Provider): Field[] {
  if (id === 'ismalicious' || !Object.values(settings.shape).every((schema) => schema.safeParse(undefined).success)) return [];
  const label = id === REMOTE ? 'Ask the sidecar' : 'Ask this source';
  const help =
    id === REMOTE ? 'Its cache, keys and limits then serve this search head.' : 'By default it is asked as soon as it has its key.';
  return [{ key: 'enabled', kind: 'switch', label, help, preset: '', check: 'none' }];
}
