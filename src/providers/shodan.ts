import * as z from 'zod/mini';
import { isoTime, timeSpan } from '../model/formats/iso-time.ts';
import { apiUrl, errorText } from './reading/http-call.ts';
import { defineProvider } from './provider.ts';
import { settingsOf } from './reading/provider-settings.ts';
import { assertAbout } from './reading/verdict-facts.ts';
import { exposureVerdict } from './reading/shodan-exposure.ts';
import { readTolerant } from './reading/read-tolerant.ts';

const SECOND_MS = 1000;

const declare = settingsOf('shodan');

const Settings = z.object({
  apiKey: declare.secret(
    'apiKey',
    'Shodan key, from your account page there. Shodan takes it in the URL only; it is masked wherever the URL is shown.',
  ),
  baseUrl: declare.baseUrl('https://api.shodan.io'),
});

const Host = z.object({
  ip_str: z.string(),
  ports: z.array(z.int()),
  org: z.nullish(z.string()),
  tags: z.nullish(z.array(z.string())),
  vulns: z.nullish(z.union([z.array(z.string()), z.record(z.string(), z.unknown())])),
  last_update: z.nullish(z.string()),
});

const Domain = z.object({
  domain: z.string(),
  tags: z.nullish(z.array(z.string())),
  subdomains: z.array(z.string()),
  data: z.array(z.object({ last_seen: z.nullish(z.string()) })),
});

/** Fields that decide: a fault in them is a fault of the answer. */
const DECIDES: ReadonlySet<string> = new Set(['ip', 'ip_str', 'domain']);

/** Shodan: what a host shows to the internet, or the DNS records of a domain. Facts about exposure, not about malice. */
export const shodan = defineProvider({
  id: 'shodan',
  title: 'Shodan',
  docs: 'https://developer.shodan.io/api',
  types: ['ipv4-addr', 'ipv6-addr', 'domain-name'],
  settings: Settings,
  quotas: [{ requests: 1, perMs: SECOND_MS }],
  concurrency: 1,
  cost: 1,
  maxTlp: 'GREEN',
  weight: 0.3,
  scale:
    'Gives no score: ports, vulnerabilities and tags become attributes and the verdict stays unknown. Only where Shodan itself found a command-and-control server, malware or a compromise (tags c2, malware, compromised, doublepulsar) it is suspicious with score 60.',
  terms: 'A host look-up is free of credits, one request a second; a domain look-up costs one query credit.',

  request(indicator, { apiKey, baseUrl }) {
    const isDomain = indicator.type === 'domain-name';
    const url = isDomain ? apiUrl(baseUrl, '', 'dns', 'domain', indicator.value) : apiUrl(baseUrl, '', 'shodan', 'host', indicator.value);
    if (!isDomain) url.searchParams.set('minify', 'true');
    // Shodan accepts its key in the query only.
    url.searchParams.set('key', apiKey);
    return { url, headers: { accept: 'application/json' }, secretQuery: ['key'] };
  },

  judge({ status, body }) {
    return status === 404 && errorText(body, 'error').includes('no information available') ? 'not-listed' : undefined;
  },

  read(body, indicator) {
    if (indicator.type === 'domain-name') {
      const { answer } = readTolerant(Domain, body, DECIDES);
      assertAbout('shodan', indicator, [answer.domain]);
      return exposureVerdict('shodan', {
        tags: answer.tags ?? [],
        lastSeen: timeSpan(answer.data.map((record) => isoTime(record.last_seen))).last,
        reference: `https://www.shodan.io/domain/${encodeURIComponent(indicator.value)}`,
      });
    }
    const { answer } = readTolerant(Host, body, DECIDES);
    assertAbout('shodan', indicator, [answer.ip_str]);
    const vulns = answer.vulns ?? [];
    return exposureVerdict('shodan', {
      tags: answer.tags ?? [],
      ports: answer.ports,
      organization: answer.org,
      vulns: Array.isArray(vulns) ? vulns : Object.keys(vulns),
      lastSeen: isoTime(answer.last_update),
      reference: `https://www.shodan.io/host/${encodeURIComponent(indicator.value)}`,
    });
  },
});
