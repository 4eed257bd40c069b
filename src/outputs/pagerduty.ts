import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { failureOf } from './read-answer.ts';
import { defineOutput, type OutputItem } from './output.ts';
import { factsOf, isoS, summaryOf } from './item-summary.ts';

const MAX_DEDUP_CHARS = 255;

const setting = declareSettings('outputs.pagerduty');
const Settings = z.object({
  routingKey: setting('routingKey', z.string().check(z.length(32)), 'Integration key (Events API v2), 32 characters.', { secret: true }),
  baseUrl: setting(
    'baseUrl',
    z._default(endpoint(), 'https://events.pagerduty.com'),
    'Events API; https://events.eu.pagerduty.com for the EU.',
  ),
});

const SEVERITY = { p1: 'critical', p2: 'error', watch: 'warning', log: 'info', review: 'warning' } as const;

/** A PagerDuty alert an indicator; its dedup key keeps one open. */
export const pagerduty = defineOutput<typeof Settings, null>({
  id: 'pagerduty',
  title: 'PagerDuty',
  docs: 'https://developer.pagerduty.com/docs/events-api-v2-overview',
  settings: Settings,
  defaults: { tiers: ['p1'] },
  limits: () => ({ items: 1, bytes: 500_000 }),
  start: ([item], { settings }) => ({
    call: {
      kind: 'http',
      url: new URL(`${settings.baseUrl}/v2/enqueue`),
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(item ? eventOf(item, settings.routingKey) : {}),
    },
    state: null,
  }),
  read: (answer, _step, items, { nowS }) => failureOf(answer, items, nowS) ?? { delivered: items },
});

function eventOf(item: OutputItem, routingKey: string) {
  const { indicator, enrichment } = item;
  const named = `ismalicious:${indicator.type}:${indicator.value}`;
  return {
    routing_key: routingKey,
    event_action: 'trigger',
    dedup_key: named.length <= MAX_DEDUP_CHARS ? named : `ismalicious:${indicator.type}:${item.id}`,
    payload: {
      summary: summaryOf(item),
      source: 'ismalicious',
      severity: SEVERITY[enrichment.answer.tier],
      timestamp: isoS(item.atS),
      component: 'ismalicious',
      class: 'ioc',
      custom_details: Object.fromEntries(factsOf(item)),
    },
  };
}
