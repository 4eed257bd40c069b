import * as z from 'zod/mini';
import { apiUrl, errorText } from './reading/http-call.ts';
import { defineProvider } from './provider.ts';
import { settingsOf } from './reading/provider-settings.ts';
import { assertAbout } from './reading/verdict-facts.ts';
import { exposureVerdict } from './reading/shodan-exposure.ts';
import { readTolerant } from './reading/read-tolerant.ts';

const declare = settingsOf('internetdb');

const Settings = z.object({ baseUrl: declare.baseUrl('https://internetdb.shodan.io') });

const Answer = z.object({
  ip: z.string(),
  ports: z.array(z.int()),
  cpes: z.array(z.string()),
  tags: z.array(z.string()),
  vulns: z.array(z.string()),
});

/** Fields that decide: a fault in them is a fault of the answer. */
const DECIDES: ReadonlySet<string> = new Set(['ip']);

/** Shodan InternetDB: ports, vulnerabilities and tags of a host, weekly, without a key. Facts about exposure, not about malice. */
export const internetdb = defineProvider({
  id: 'internetdb',
  title: 'Shodan InternetDB',
  docs: 'https://internetdb.shodan.io/',
  types: ['ipv4-addr'],
  settings: Settings,
  concurrency: 4,
  cost: 0,
  maxTlp: 'GREEN',
  weight: 0.3,
  scale:
    'As Shodan: attributes without a score, unknown; suspicious with score 60 only for the tags c2, malware, compromised, doublepulsar.',
  terms: 'No key; free for non-commercial use.',

  request(indicator, { baseUrl }) {
    return { url: apiUrl(baseUrl, '', indicator.value), headers: { accept: 'application/json' } };
  },

  judge({ status, body }) {
    return status === 404 && errorText(body, 'detail').includes('no information available') ? 'not-listed' : undefined;
  },

  read(body, indicator) {
    const { answer } = readTolerant(Answer, body, DECIDES);
    assertAbout('internetdb', indicator, [answer.ip]);
    return exposureVerdict('internetdb', {
      ...answer,
      lastSeen: null,
      reference: `https://www.shodan.io/host/${encodeURIComponent(indicator.value)}`,
    });
  },
});
