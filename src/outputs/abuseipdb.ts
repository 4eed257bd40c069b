import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { wordTable } from '../model/tables/word-table.ts';
import { isoS } from './forms/item-summary.ts';
import { defineOutput, type OutputAnswer, type OutputItem } from './output.ts';
import { isHeldByOthers, publicComment } from './forms/own-evidence.ts';
import { failureOf } from './forms/read-answer.ts';

const LARGEST_CATEGORY = 23;

const setting = declareSettings('outputs.abuseipdb');
const Settings = z.object({
  apiKey: setting('apiKey', z.string().check(z.minLength(1)), 'AbuseIPDB v2 key; reports appear under its account.', { secret: true }),
  baseUrl: setting('baseUrl', z._default(endpoint(), 'https://api.abuseipdb.com'), 'Base URL of AbuseIPDB.'),
  categories: setting(
    'categories',
    z._default(z.array(z.int().check(z.gte(1), z.lte(LARGEST_CATEGORY))).check(z.minLength(1)), [15]),
    'Categories of a report when none of ours has a counterpart there, by their numbers; 15: hacking.',
  ),
});

/** Our words by the numbers of https://www.abuseipdb.com/categories. */
const CATEGORIES = wordTable<number>({
  ddos: 4,
  phishing: 7,
  fraud: 3,
  spam: 11,
  'port-scan': 14,
  scanner: 14,
  scanning: 14,
  hacking: 15,
  'sql-injection': 16,
  'brute-force': 18,
  bruteforce: 18,
  'bad-web-bot': 19,
  'exploited-host': 20,
  c2: 20,
  botnet: 20,
  malware: 20,
  'web-attack': 21,
  'ssh-attack': 22,
  'iot-attack': 23,
});

const Refusal = z.object({ errors: z.array(z.object({ detail: z.optional(z.string()) })) });

/** Reports addresses from our own alerts to AbuseIPDB. What AbuseIPDB alone says is not reported back. */
export const abuseipdbOutput = defineOutput<typeof Settings, null>({
  id: 'abuseipdb',
  title: 'AbuseIPDB reports',
  docs: 'https://docs.abuseipdb.com/#report-endpoint',
  settings: Settings,
  defaults: { tiers: ['p1'], events: ['triage'], dryRun: true, maxTlp: 'CLEAR' },
  types: ['ipv4-addr', 'ipv6-addr'],
  accepts: (item) => isHeldByOthers(item, 'abuseipdb'),
  limits: () => ({ items: 1, bytes: 100_000 }),
  start: ([item], { settings }) => ({
    call: {
      kind: 'http',
      url: new URL(`${settings.baseUrl}/api/v2/report`),
      method: 'POST',
      headers: { key: settings.apiKey, accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      body: item ? new URLSearchParams(reportOf(item, settings.categories)).toString() : '',
    },
    state: null,
  }),
  read(answer, _step, items, { nowS }) {
    // One report an address in 15 minutes: what comes sooner is there already.
    if (answer.status === 429 && /same IP address/i.test(detailsOf(answer))) return { duplicate: items };
    return failureOf(answer, items, nowS) ?? { delivered: items };
  },
});

function reportOf(item: OutputItem, otherwise: readonly number[]): Record<string, string> {
  const numbers = item.enrichment.answer.categories.flatMap((category) => CATEGORIES.get(category) ?? []);
  return {
    ip: item.indicator.value,
    categories: [...new Set(numbers.length > 0 ? numbers : otherwise)].join(','),
    comment: publicComment(item),
    timestamp: isoS(item.atS),
  };
}

function detailsOf({ body }: OutputAnswer): string {
  return (Refusal.safeParse(body).data?.errors ?? []).map(({ detail }) => detail ?? '').join(' ');
}
