// What the page asks for: declared by the settings of the providers, put in at the build (scripts/splunk-ui-bundle.ts).

/** One setting on the page. */
export interface Field {
  /** `base_url`, as in ismalicious.conf. */
  readonly key: string;
  /** `secret`: kept by splunkd's storage/passwords and never read back; `text` and `switch`: kept in ismalicious.conf. */
  readonly kind: 'secret' | 'text' | 'switch';
  readonly label: string;
  readonly help: string;
  /** What holds while it is empty; `''`: nothing. */
  readonly preset: string;
  readonly check: 'printable' | 'endpoint' | 'proxy' | 'none';
}

/** One provider on the page. */
export interface ProviderForm {
  readonly id: string;
  readonly title: string;
  /** Where its API is documented. */
  readonly docs: string;
  readonly fields: readonly Field[];
}

declare const __PROVIDERS__: readonly ProviderForm[];

/** Every provider of the pack, in the order of its registry. */
export const PROVIDERS: readonly ProviderForm[] = __PROVIDERS__;

/** Whose values never leave, one a line; the stanza `privacy` of ismalicious.conf. */
export const OWN_DOMAINS = 'own_domains';
export const OWN_NETWORKS = 'own_networks';
export const PRIVACY = 'privacy';

/** Stanza of a provider in ismalicious.conf. */
export function stanzaOf(provider: string): string {
  return `providers.${provider}`;
}

/** Name under which a secret is kept, in the realm of the app. */
export function secretNameOf(provider: string, key: string): string {
  return `${provider}.${key}`;
}
