import type { Provider } from './provider.ts';

/**
 * How each provider is loaded, by its id, in the order of the docs. A new one: its file, its fixture, its line here.
 * A search is a short process: it loads those that are configured and no other.
 */
const LOADERS: Readonly<Record<string, () => Promise<Provider>>> = {
  ismalicious: async () => (await import('./ismalicious.ts')).ismalicious,
  virustotal: async () => (await import('./virustotal.ts')).virustotal,
  abuseipdb: async () => (await import('./abuseipdb.ts')).abuseipdb,
  shodan: async () => (await import('./shodan.ts')).shodan,
  internetdb: async () => (await import('./internetdb.ts')).internetdb,
  misp: async () => (await import('./misp.ts')).misp,
  otx: async () => (await import('./otx.ts')).otx,
  urlscan: async () => (await import('./urlscan.ts')).urlscan,
  safebrowsing: async () => (await import('./safebrowsing.ts')).safebrowsing,
  malwarebazaar: async () => (await import('./malwarebazaar.ts')).malwarebazaar,
  threatfox: async () => (await import('./threatfox.ts')).threatfox,
  urlhaus: async () => (await import('./urlhaus.ts')).urlhaus,
  passivetotal: async () => (await import('./passivetotal.ts')).passivetotal,
  defender_ti: async () => (await import('./defender-ti.ts')).defenderTi,
  opencti: async () => (await import('./opencti.ts')).opencti,
  greynoise: async () => (await import('./greynoise.ts')).greynoise,
  remote: async () => (await import('./remote.ts')).remote,
};

/** Ids of all providers that are shipped, in the order of the docs. */
export const providerIds: readonly string[] = Object.keys(LOADERS);

/** The providers, in the order of the docs; only those with these ids, when they are named. */
export function loadProviders(ids?: ReadonlySet<string>): Promise<readonly Provider[]> {
  const wanted = Object.entries(LOADERS).filter(([id]) => ids === undefined || ids.has(id));
  return Promise.all(wanted.map(([, load]) => load()));
}
