import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { toBase64 } from '../model/formats/base64.ts';
import { failureOf } from './forms/read-answer.ts';
import { defineOutput, type HttpOutputCall, type OutputItem, type OutputStep } from './output.ts';
import { summaryOf } from './forms/item-summary.ts';
import { byTier, evidenceSettings, isOver, ticketFacts } from './forms/ticket.ts';

const setting = declareSettings('outputs.servicenow');
const Settings = z.object({
  baseUrl: setting('baseUrl', endpoint(), 'Instance, for example https://your-instance.service-now.com.'),
  username: setting('username', z.string().check(z.minLength(1)), 'User who may create records in the table.'),
  password: setting('password', z.string().check(z.minLength(1)), 'Password of that user.', { secret: true }),
  table: setting(
    'table',
    z._default(z.enum(['incident', 'sn_si_incident']), 'incident'),
    'incident, or sn_si_incident with Security Incident Response.',
  ),
  assignedTo: setting('assignedTo', z._default(z.string(), ''), 'sys_id or user name of who gets it; empty: the instance decides.'),
  assignmentGroup: setting(
    'assignmentGroup',
    z._default(z.string(), ''),
    'sys_id or name of the group that gets it; empty: the instance decides.',
  ),
  urgency: setting('urgency', byTier(), 'Urgency by tier where it is not 1 (p1), 2 (p2, review) or 3.'),
  impact: setting('impact', byTier(), 'Impact by tier, for example `p1: "1"`; by default the instance decides.'),
  priority: setting('priority', byTier(), 'Priority by tier, where the instance does not work it out of impact and urgency.'),
  fields: setting(
    'fields',
    z._default(z.record(z.string(), z.string()), {}),
    'Further columns of a new record, for example `category: security`.',
  ),
  endFields: setting(
    'endFields',
    z._default(z.record(z.string(), z.string()), { state: '6', close_code: 'Resolved by caller' }),
    'Columns that end a record; `close_notes` is added.',
  ),
  ...evidenceSettings(setting),
});
type Now = z.output<typeof Settings>;

const Row = z.object({ sys_id: z.string() });
const Rows = z.object({ result: z.array(Row) });
const Created = z.object({ result: Row });
/** ServiceNow's own scale: 1 high, 2 medium, 3 low. */
const URGENCY = { p1: '1', p2: '2', watch: '3', log: '3', review: '2' } as const;

/** Finding an active record, making one, or writing into the one that is there. */
type State = { readonly at: 'search' | 'create' } | { readonly at: 'update'; readonly id: string };

/** A ServiceNow incident an indicator: what is learnt later goes into its work notes, and it is resolved when the verdict turns to clean. */
export const servicenow = defineOutput<typeof Settings, State>({
  id: 'servicenow',
  title: 'ServiceNow',
  docs: 'https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/inbound-rest/concept/c_TableAPI.html',
  settings: Settings,
  defaults: { tiers: ['p1'], tellsTurns: true },
  keepsTickets: true,
  limits: () => ({ items: 1, bytes: 500_000 }),
  start: (items, { settings }) => searchStep(items[0], settings),
  read(answer, { state }, items, { settings, nowS }) {
    const [item] = items;
    if (!item) return {};
    const failure = failureOf(answer, items, nowS);
    if (failure) return failure;
    if (state.at === 'create') return { delivered: items, ticket: { ref: Created.parse(answer.body).result.sys_id, isOpen: true } };
    if (state.at === 'update') return { delivered: items, ticket: { ref: state.id, isOpen: !(settings.resolve && isOver(item)) } };
    const [found] = Rows.parse(answer.body).result;
    if (found) return { next: updateStep(found.sys_id, item, settings) };
    // It is over, and nobody has a record open.
    if (isOver(item)) return { duplicate: items };
    return {
      next: { call: tableCall(settings, tableUrl(settings), { method: 'POST', body: recordOf(item, settings) }), state: { at: 'create' } },
    };
  },
});

/** The search finds also what a process opened that died before it could remember it, and not what people have closed. */
function searchStep(item: OutputItem | undefined, settings: Now): OutputStep<State> {
  const url = tableUrl(settings);
  url.searchParams.set('sysparm_query', `correlation_id=${correlationOf(item)}^active=true`);
  url.searchParams.set('sysparm_fields', 'sys_id,number');
  url.searchParams.set('sysparm_limit', '1');
  return { call: tableCall(settings, url, null), state: { at: 'search' } };
}

function updateStep(id: string, item: OutputItem, settings: Now): OutputStep<State> {
  const ends = settings.resolve && isOver(item);
  const body = {
    work_notes: [summaryOf(item), textOf(item, settings)].join('\n'),
    ...(ends ? { ...settings.endFields, close_notes: summaryOf(item) } : {}),
  };
  return {
    call: tableCall(settings, tableUrl(settings, `/${encodeURIComponent(id)}`), { method: 'PATCH', body }),
    state: { at: 'update', id },
  };
}

function recordOf(item: OutputItem, settings: Now) {
  const { tier } = item.enrichment.answer;
  const [impact, priority] = [settings.impact[tier], settings.priority[tier]];
  return {
    ...settings.fields,
    short_description: summaryOf(item).slice(0, 160),
    description: textOf(item, settings),
    urgency: settings.urgency[tier] ?? URGENCY[tier],
    ...(impact === undefined ? {} : { impact }),
    ...(priority === undefined ? {} : { priority }),
    ...(settings.assignedTo === '' ? {} : { assigned_to: settings.assignedTo }),
    ...(settings.assignmentGroup === '' ? {} : { assignment_group: settings.assignmentGroup }),
    correlation_id: correlationOf(item),
    correlation_display: 'isMalicious',
  };
}

function textOf(item: OutputItem, { evidenceUrl }: Now): string {
  return ticketFacts(item, evidenceUrl)
    .map(([name, text]) => `${name}: ${text}`)
    .join('\n');
}

/** At most 100 characters: the value itself may be longer, its digest is not. */
function correlationOf(item: OutputItem | undefined): string {
  return `ismalicious:${(item?.id ?? '').slice(0, 40)}`;
}

function tableUrl({ baseUrl, table }: Now, path = ''): URL {
  return new URL(`${baseUrl}/api/now/table/${table}${path}`);
}

function tableCall(
  { username, password }: Now,
  url: URL,
  sent: { readonly method: 'POST' | 'PATCH'; readonly body: unknown } | null,
): HttpOutputCall {
  const headers = { authorization: `Basic ${toBase64(`${username}:${password}`)}`, accept: 'application/json' };
  if (sent === null) return { kind: 'http', url, method: 'GET', headers, body: null };
  return {
    kind: 'http',
    url,
    method: sent.method,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(sent.body),
  };
}
