import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { markdownText } from '../model/formats/markdown-text.ts';
import { OWN_MARK } from '../model/formats/own-export.ts';
import type { IndicatorType } from '../model/indicator.ts';
import type { Tlp } from '../model/tlp.ts';
import { detailOf, failureOf } from './read-answer.ts';
import { defineOutput, type OutputItem } from './output.ts';
import { factsOf, summaryOf } from './item-summary.ts';

const setting = declareSettings('outputs.thehive');
const Settings = z.object({
  baseUrl: setting('baseUrl', endpoint(), 'Address of TheHive 5.'),
  apiKey: setting('apiKey', z.string().check(z.minLength(1)), 'API key of a user who may create alerts.', { secret: true }),
});

const SEVERITY = { p1: 4, p2: 3, watch: 2, log: 1, review: 2 } as const;
const TLP: Readonly<Record<Tlp, number>> = { CLEAR: 0, GREEN: 1, AMBER: 2, 'AMBER+STRICT': 3, RED: 4 };
const DATA_TYPES: Partial<Readonly<Record<IndicatorType, string>>> = {
  'ipv4-addr': 'ip',
  'ipv6-addr': 'ip',
  'domain-name': 'domain',
  url: 'url',
  'email-addr': 'mail',
  cve: 'other',
};

/** An alert in TheHive; (type, source, sourceRef) is unique there, so a second copy is refused and counts as delivered. */
export const thehive = defineOutput<typeof Settings, null>({
  id: 'thehive',
  title: 'TheHive',
  docs: 'https://docs.strangebee.com/thehive/api-docs/',
  settings: Settings,
  defaults: { tiers: ['p1', 'p2'] },
  limits: () => ({ items: 1, bytes: 500_000 }),
  start: ([item], { settings }) => ({
    call: {
      kind: 'http',
      url: new URL(`${settings.baseUrl}/api/v1/alert`),
      method: 'POST',
      headers: { authorization: `Bearer ${settings.apiKey}`, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(item ? alertOf(item) : {}),
    },
    state: null,
  }),
  read(answer, _step, items, { nowS }) {
    if ((answer.status === 400 || answer.status === 409) && /already exist/i.test(detailOf(answer.body))) return { duplicate: items };
    return failureOf(answer, items, nowS) ?? { delivered: items };
  },
});

function alertOf(item: OutputItem) {
  const { indicator, enrichment } = item;
  return {
    type: 'ismalicious',
    source: 'ismalicious-pack',
    sourceRef: item.key.slice(-120),
    title: summaryOf(item),
    description: factsOf(item)
      .map(([name, text]) => `**${name}**: ${markdownText(text)}`)
      .join('\n\n'),
    severity: SEVERITY[enrichment.answer.tier],
    tlp: TLP[item.tlp ?? 'AMBER'],
    pap: 2,
    // Who exports the alert from there, to MISP for example, passes our mark on.
    tags: ['ismalicious', OWN_MARK, ...enrichment.answer.categories],
    observables: [
      {
        dataType: DATA_TYPES[indicator.type] ?? 'hash',
        data: indicator.value,
        ioc: enrichment.answer.verdict === 'malicious',
        tags: [OWN_MARK, ...enrichment.answer.categories],
      },
    ],
  };
}
