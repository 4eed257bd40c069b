import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { toBase64 } from '../model/formats/base64.ts';
import { failureOf } from './read-answer.ts';
import { defineOutput, type HttpOutputCall, type OutputItem } from './output.ts';
import { factsOf, summaryOf } from './item-summary.ts';

const setting = declareSettings('outputs.jira');
const Settings = z.object({
  baseUrl: setting('baseUrl', endpoint(), 'Jira site, for example https://your-domain.atlassian.net.'),
  email: setting('email', z.string().check(z.minLength(1)), 'Account the API token belongs to.'),
  apiKey: setting('apiKey', z.string().check(z.minLength(1)), 'Jira API token.', { secret: true }),
  project: setting('project', z.string().check(z.regex(/^[A-Z][A-Z0-9_]*$/)), 'Key of the project.'),
  issueType: setting('issueType', z._default(z.string(), 'Task'), 'Name of the issue type.'),
});

const SearchAnswer = z.object({ issues: z.array(z.unknown()) });

/** A Jira issue an indicator. An open one with the same label is not opened again. */
export const jira = defineOutput<typeof Settings, { readonly at: 'search' | 'create' }>({
  id: 'jira',
  title: 'Jira',
  docs: 'https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/',
  settings: Settings,
  defaults: { tiers: ['p1'] },
  limits: () => ({ items: 1, bytes: 500_000 }),
  start(items, { settings }) {
    const url = new URL(`${settings.baseUrl}/rest/api/3/search/jql`);
    url.searchParams.set('jql', `project = "${settings.project}" AND labels = "${labelOf(items[0])}" AND statusCategory != Done`);
    url.searchParams.set('maxResults', '1');
    url.searchParams.set('fields', 'key');
    return { call: jiraCall(settings, url, null), state: { at: 'search' } };
  },
  read(answer, step, items, { settings, nowS }) {
    const failure = failureOf(answer, items, nowS);
    if (failure) return failure;
    if (step.state.at === 'create') return { delivered: items };
    if (SearchAnswer.parse(answer.body).issues.length > 0) return { duplicate: items };
    const [item] = items;
    if (!item) return {};
    return {
      next: { call: jiraCall(settings, new URL(`${settings.baseUrl}/rest/api/3/issue`), issueOf(item, settings)), state: { at: 'create' } },
    };
  },
});

function issueOf(item: OutputItem, { project, issueType }: z.output<typeof Settings>) {
  const paragraphs = factsOf(item).map(([name, text]) => ({ type: 'paragraph', content: [{ type: 'text', text: `${name}: ${text}` }] }));
  return {
    fields: {
      project: { key: project },
      issuetype: { name: issueType },
      summary: summaryOf(item),
      labels: ['ismalicious', labelOf(item)],
      description: { type: 'doc', version: 1, content: paragraphs },
    },
  };
}

function labelOf(item: OutputItem | undefined): string {
  return `ismalicious-${(item?.id ?? '').slice(0, 16)}`;
}

function jiraCall({ email, apiKey }: z.output<typeof Settings>, url: URL, body: unknown): HttpOutputCall {
  const headers = { authorization: `Basic ${toBase64(`${email}:${apiKey}`)}`, accept: 'application/json' };
  if (body === null) return { kind: 'http', url, method: 'GET', headers, body: null };
  return { kind: 'http', url, method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
