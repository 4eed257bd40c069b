import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { markdownText } from '../model/formats/markdown-text.ts';
import { OWN_MARK } from '../model/formats/own-export.ts';
import type { IndicatorType } from '../model/indicator.ts';
import type { Tlp } from '../model/tlp.ts';
import { detailOf, failureOf } from './forms/read-answer.ts';
import { defineOutput, type HttpOutputCall, type OutputItem, type OutputStep, type Ticket } from './output.ts';
import { summaryOf } from './forms/item-summary.ts';
import { evidenceSettings, isOver, labelSettings, labelsOf, ticketFacts } from './forms/ticket.ts';

const setting = declareSettings('outputs.thehive');
const Settings = z.object({
  baseUrl: setting('baseUrl', endpoint(), 'Address of TheHive 5.'),
  apiKey: setting('apiKey', z.string().check(z.minLength(1)), 'API key of a user who may create alerts.', { secret: true }),
  assignee: setting('assignee', z._default(z.string(), ''), 'Login of who gets the alert; empty: unassigned.'),
  endStatus: setting('endStatus', z._default(z.string().check(z.minLength(1)), 'Ignored'), 'Status of an alert that has no more reason.'),
  openStatus: setting('openStatus', z._default(z.string().check(z.minLength(1)), 'New'), 'Status of an alert that has a reason again.'),
  ...labelSettings(setting),
  ...evidenceSettings(setting),
});
type Hive = z.output<typeof Settings>;

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

const Created = z.object({ _id: z.string().check(z.minLength(1)) });
const Found = z.array(Created);

/** Making an alert, finding the one that is there, saying in it what is new, or changing its status. */
type State = { readonly at: 'create' | 'find' } | { readonly at: 'comment' | 'status'; readonly id: string; readonly isOpen: boolean };

/** An alert in TheHive an indicator: what is learnt later goes into it as a comment, and it is set aside when the verdict turns to clean. */
export const thehive = defineOutput<typeof Settings, State>({
  id: 'thehive',
  title: 'TheHive',
  docs: 'https://docs.strangebee.com/thehive/api-docs/',
  settings: Settings,
  defaults: { tiers: ['p1', 'p2'], tellsTurns: true },
  keepsTickets: true,
  limits: () => ({ items: 1, bytes: 500_000 }),
  start: ([item], { settings, ticket }) => (item && ticket ? commentStep(item, ticket, settings) : createStep(item, settings)),
  read(answer, { state }, items, { settings, nowS }) {
    const [item] = items;
    if (!item) return {};
    if (state.at === 'create' && (answer.status === 400 || answer.status === 409) && /already exist/i.test(detailOf(answer.body)))
      return { next: findStep(item, settings) };
    // Somebody has deleted it: it is made anew.
    if (state.at === 'comment' && answer.status === 404) return isOver(item) ? { duplicate: items } : { next: createStep(item, settings) };
    const failure = failureOf(answer, items, nowS);
    if (failure) return failure;
    switch (state.at) {
      case 'create':
        return { delivered: items, ticket: { ref: Created.parse(answer.body)._id, isOpen: true } };
      case 'find': {
        const [found] = Found.parse(answer.body);
        // Made by a process that died before it could remember it.
        return found ? { next: commentStep(item, { ref: found._id, isOpen: true }, settings) } : { duplicate: items };
      }
      case 'comment': {
        const isOpen = !(settings.resolve && isOver(item));
        if (isOpen === state.isOpen) return { delivered: items, ticket: { ref: state.id, isOpen } };
        const body = { status: isOpen ? settings.openStatus : settings.endStatus };
        return {
          next: { call: hiveCall(settings, alertPath(state.id), { method: 'PATCH', body }), state: { at: 'status', id: state.id, isOpen } },
        };
      }
      case 'status':
        return { delivered: items, ticket: { ref: state.id, isOpen: state.isOpen } };
    }
  },
});

function createStep(item: OutputItem | undefined, settings: Hive): OutputStep<State> {
  const body = item ? alertOf(item, settings) : {};
  return { call: hiveCall(settings, '/api/v1/alert', { method: 'POST', body }), state: { at: 'create' } };
}

/** (type, source, sourceRef) is unique in TheHive. */
function findStep(item: OutputItem, settings: Hive): OutputStep<State> {
  const query = [
    { _name: 'listAlert' },
    { _name: 'filter', _field: 'sourceRef', _value: sourceRefOf(item) },
    { _name: 'page', from: 0, to: 1 },
  ];
  return { call: hiveCall(settings, '/api/v1/query', { method: 'POST', body: { query } }), state: { at: 'find' } };
}

function commentStep(item: OutputItem, { ref, isOpen }: Ticket, settings: Hive): OutputStep<State> {
  const message = `**${markdownText(summaryOf(item))}**\n\n${descriptionOf(item, settings)}`;
  const call = hiveCall(settings, `${alertPath(ref)}/comment`, { method: 'POST', body: { message } });
  return { call, state: { at: 'comment', id: ref, isOpen } };
}

function alertPath(id: string): string {
  return `/api/v1/alert/${encodeURIComponent(id)}`;
}

function hiveCall({ baseUrl, apiKey }: Hive, path: string, { method, body }: { method: 'POST' | 'PATCH'; body: unknown }): HttpOutputCall {
  return {
    kind: 'http',
    url: new URL(baseUrl + path),
    method,
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  };
}

function sourceRefOf(item: OutputItem): string {
  return item.id.slice(0, 64);
}

function descriptionOf(item: OutputItem, { evidenceUrl }: Hive): string {
  return ticketFacts(item, evidenceUrl)
    .map(([name, text]) => `**${name}**: ${name === 'Evidence' ? text : markdownText(text)}`)
    .join('\n\n');
}

function alertOf(item: OutputItem, settings: Hive) {
  const { indicator, enrichment } = item;
  return {
    type: 'ismalicious',
    source: 'ismalicious-pack',
    sourceRef: sourceRefOf(item),
    title: summaryOf(item),
    description: descriptionOf(item, settings),
    severity: SEVERITY[enrichment.answer.tier],
    tlp: TLP[item.tlp ?? 'AMBER'],
    pap: 2,
    // Who exports the alert from there, to MISP for example, passes our mark on.
    tags: [...new Set(['ismalicious', OWN_MARK, ...enrichment.answer.categories, ...labelsOf(item, settings)])],
    ...(settings.assignee === '' ? {} : { assignee: settings.assignee }),
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
