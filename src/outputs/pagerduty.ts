import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { failureOf } from './forms/read-answer.ts';
import { defineOutput, type OutputItem } from './output.ts';
import { factsOf, isoS, summaryOf } from './forms/item-summary.ts';
import { byTier, evidenceOf, evidenceSettings, isOver } from './forms/ticket.ts';

const MAX_DEDUP_CHARS = 255;

const setting = declareSettings('outputs.pagerduty');
const Settings = z.object({
  routingKey: setting('routingKey', z.string().check(z.length(32)), 'Integration key (Events API v2), 32 characters.', { secret: true }),
  baseUrl: setting(
    'baseUrl',
    z._default(endpoint(), 'https://events.pagerduty.com'),
    'Events API; https://events.eu.pagerduty.com for the EU.',
  ),
  severity: setting(
    'severity',
    byTier(),
    'Severity by tier where it is not critical (p1), error (p2), warning (watch, review) or info (log).',
  ),
  ...evidenceSettings(setting),
});

const SEVERITY = { p1: 'critical', p2: 'error', watch: 'warning', log: 'info', review: 'warning' } as const;

/** A PagerDuty alert an indicator: its dedup key keeps one open, takes what is learnt later, and ends it when the verdict turns to clean. */
export const pagerduty = defineOutput<typeof Settings, null>({
  id: 'pagerduty',
  title: 'PagerDuty',
  docs: 'https://developer.pagerduty.com/docs/events-api-v2-overview',
  settings: Settings,
  defaults: { tiers: ['p1'], tellsTurns: true },
  keepsTickets: true,
  limits: () => ({ items: 1, bytes: 500_000 }),
  start: ([item], { settings }) => ({
    call: {
      kind: 'http',
      url: new URL(`${settings.baseUrl}/v2/enqueue`),
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(item ? eventOf(item, settings) : {}),
    },
    state: null,
  }),
  read(answer, _step, items, { settings, nowS }) {
    const failure = failureOf(answer, items, nowS);
    const [item] = items;
    if (failure || !item) return failure ?? {};
    return { delivered: items, ticket: { ref: dedupKeyOf(item), isOpen: !(settings.resolve && isOver(item)) } };
  },
});

function eventOf(item: OutputItem, settings: z.output<typeof Settings>) {
  const { enrichment } = item;
  const ends = settings.resolve && isOver(item);
  const evidence = evidenceOf(item, settings.evidenceUrl);
  const to = {
    routing_key: settings.routingKey,
    event_action: ends ? 'resolve' : 'trigger',
    dedup_key: dedupKeyOf(item),
  };
  return {
    ...to,
    payload: {
      summary: summaryOf(item),
      source: 'ismalicious',
      severity: settings.severity[enrichment.answer.tier] ?? SEVERITY[enrichment.answer.tier],
      timestamp: isoS(item.atS),
      component: 'ismalicious',
      class: 'ioc',
      custom_details: Object.fromEntries(factsOf(item)),
    },
    ...(evidence === null ? {} : { client: 'isMalicious', client_url: evidence, links: [{ href: evidence, text: 'Evidence' }] }),
  };
}

function dedupKeyOf({ indicator, id }: OutputItem): string {
  const named = `ismalicious:${indicator.type}:${indicator.value}`;
  return named.length <= MAX_DEDUP_CHARS ? named : `ismalicious:${indicator.type}:${id}`;
}
