import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { toBase64 } from '../model/formats/base64.ts';
import { failureOf } from './read-answer.ts';
import { defineOutput, type HttpOutputCall, type OutputItem } from './output.ts';
import { factsOf, summaryOf } from './item-summary.ts';

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
});

const Rows = z.object({ result: z.array(z.unknown()) });
/** ServiceNow's own scale: 1 high, 2 medium, 3 low. */
const URGENCY = { p1: '1', p2: '2', watch: '3', log: '3', review: '2' } as const;

/** A ServiceNow incident an indicator; one with the same correlation id that is still active is not opened again. */
export const servicenow = defineOutput<typeof Settings, { readonly at: 'search' | 'create' }>({
  id: 'servicenow',
  title: 'ServiceNow',
  docs: 'https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/inbound-rest/concept/c_TableAPI.html',
  settings: Settings,
  defaults: { tiers: ['p1'] },
  limits: () => ({ items: 1, bytes: 500_000 }),
  start(items, { settings }) {
    const url = new URL(`${settings.baseUrl}/api/now/table/${settings.table}`);
    url.searchParams.set('sysparm_query', `correlation_id=${correlationOf(items[0])}^active=true`);
    url.searchParams.set('sysparm_fields', 'sys_id,number');
    url.searchParams.set('sysparm_limit', '1');
    return { call: tableCall(settings, url, null), state: { at: 'search' } };
  },
  read(answer, step, items, { settings, nowS }) {
    const failure = failureOf(answer, items, nowS);
    if (failure) return failure;
    if (step.state.at === 'create') return { delivered: items };
    if (Rows.parse(answer.body).result.length > 0) return { duplicate: items };
    const [item] = items;
    if (!item) return {};
    return {
      next: {
        call: tableCall(settings, new URL(`${settings.baseUrl}/api/now/table/${settings.table}`), recordOf(item)),
        state: { at: 'create' },
      },
    };
  },
});

function recordOf(item: OutputItem) {
  return {
    short_description: summaryOf(item).slice(0, 160),
    description: factsOf(item)
      .map(([name, text]) => `${name}: ${text}`)
      .join('\n'),
    urgency: URGENCY[item.enrichment.answer.tier],
    correlation_id: correlationOf(item),
    correlation_display: 'isMalicious',
  };
}

/** At most 100 characters: the value itself may be longer, its digest is not. */
function correlationOf(item: OutputItem | undefined): string {
  return `ismalicious:${(item?.id ?? '').slice(0, 40)}`;
}

function tableCall({ username, password }: z.output<typeof Settings>, url: URL, body: unknown): HttpOutputCall {
  const headers = { authorization: `Basic ${toBase64(`${username}:${password}`)}`, accept: 'application/json' };
  if (body === null) return { kind: 'http', url, method: 'GET', headers, body: null };
  return { kind: 'http', url, method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
