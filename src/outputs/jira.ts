import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { toBase64 } from '../model/formats/base64.ts';
import { failureOf } from './forms/read-answer.ts';
import { defineOutput, type HttpOutputCall, type OutputItem, type OutputResult, type OutputStep } from './output.ts';
import { summaryOf } from './forms/item-summary.ts';
import { byTier, evidenceSettings, isOver, labelSettings, labelsOf, ticketFacts } from './forms/ticket.ts';

const setting = declareSettings('outputs.jira');
const Settings = z.object({
  baseUrl: setting('baseUrl', endpoint(), 'Jira site, for example https://your-domain.atlassian.net.'),
  email: setting('email', z.string().check(z.minLength(1)), 'Account the API token belongs to.'),
  apiKey: setting('apiKey', z.string().check(z.minLength(1)), 'Jira API token.', { secret: true }),
  project: setting('project', z.string().check(z.regex(/^[A-Z][A-Z0-9_]*$/)), 'Key of the project.'),
  issueType: setting('issueType', z._default(z.string(), 'Task'), 'Name of the issue type.'),
  assignee: setting('assignee', z._default(z.string(), ''), 'Account id of who gets the issue; empty: the project decides.'),
  priority: setting('priority', byTier(), 'Name of the priority by tier, for example `p1: Highest`; by default the project decides.'),
  fields: setting(
    'fields',
    z._default(z.record(z.string(), z.unknown()), {}),
    'Further fields of a new issue as the API has them, for example `components: [{name: SOC}]`.',
  ),
  doneTransition: setting(
    'doneTransition',
    z._default(z.string(), ''),
    'Name of the transition that ends an issue; empty: the first one that leads to a status of the category Done.',
  ),
  ...labelSettings(setting),
  ...evidenceSettings(setting),
});
type JiraSettings = z.output<typeof Settings>;

const Created = z.object({ key: z.string() });
const SearchAnswer = z.object({ issues: z.array(Created) });
const Transitions = z.object({
  transitions: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      to: z.optional(z.object({ statusCategory: z.optional(z.object({ key: z.string() })) })),
    }),
  ),
});

/** Finding an open issue, making one, telling one that is there, or ending it. */
type State = { readonly at: 'search' | 'create' } | { readonly at: 'comment' | 'transitions' | 'end'; readonly key: string };

/** A Jira issue an indicator: what is learnt later goes into it as a comment, and it is ended when the verdict turns to clean. */
export const jira = defineOutput<typeof Settings, State>({
  id: 'jira',
  title: 'Jira',
  docs: 'https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/',
  settings: Settings,
  defaults: { tiers: ['p1'], tellsTurns: true },
  keepsTickets: true,
  limits: () => ({ items: 1, bytes: 500_000 }),
  start: (items, { settings }) => searchStep(items[0], settings),
  read(answer, step, items, { settings, nowS }) {
    const { state } = step;
    const [item] = items;
    if (!item) return {};
    // The issue was deleted meanwhile, or its workflow has no way out: nothing is left to be told.
    if (state.at !== 'search' && state.at !== 'create' && answer.status === 404) return { duplicate: items };
    const failure = failureOf(answer, items, nowS);
    if (failure) return failure;
    switch (state.at) {
      case 'search':
        return afterSearch(SearchAnswer.parse(answer.body).issues[0]?.key, item, settings);
      case 'create':
        return { delivered: items, ticket: { ref: Created.parse(answer.body).key, isOpen: true } };
      case 'comment':
        if (!settings.resolve || !isOver(item)) return { delivered: items, ticket: { ref: state.key, isOpen: true } };
        return {
          next: {
            call: jiraCall(settings, issueUrl(settings, state.key, '/transitions'), null),
            state: { at: 'transitions', key: state.key },
          },
        };
      case 'transitions':
        return endIssue(Transitions.parse(answer.body).transitions, state.key, { item, settings });
      case 'end':
        return { delivered: items, ticket: { ref: state.key, isOpen: false } };
    }
  },
});

/** The search finds also what a process opened that died before it could remember it, and not what people have closed. */
function searchStep(item: OutputItem | undefined, settings: JiraSettings): OutputStep<State> {
  const url = new URL(`${settings.baseUrl}/rest/api/3/search/jql`);
  url.searchParams.set('jql', `project = "${settings.project}" AND labels = "${labelOf(item)}" AND statusCategory != Done`);
  url.searchParams.set('maxResults', '1');
  url.searchParams.set('fields', 'key');
  return { call: jiraCall(settings, url, null), state: { at: 'search' } };
}

function afterSearch(key: string | undefined, item: OutputItem, settings: JiraSettings): OutputResult<State> {
  if (key !== undefined) {
    const comment = { body: documentOf([['News', summaryOf(item)], ...ticketFacts(item, settings.evidenceUrl)]) };
    const properties = [{ key: 'ismalicious', value: { message: item.key } }];
    return {
      next: { call: jiraCall(settings, issueUrl(settings, key, '/comment'), { ...comment, properties }), state: { at: 'comment', key } },
    };
  }
  // It is over, and nobody has a ticket open.
  if (isOver(item)) return { duplicate: [item] };
  return {
    next: { call: jiraCall(settings, new URL(`${settings.baseUrl}/rest/api/3/issue`), issueOf(item, settings)), state: { at: 'create' } },
  };
}

function endIssue(
  transitions: z.output<typeof Transitions>['transitions'],
  key: string,
  { item, settings }: { readonly item: OutputItem; readonly settings: JiraSettings },
): OutputResult<State> {
  const wanted = settings.doneTransition.toLowerCase();
  const found = transitions.find(({ name, to }) => (wanted === '' ? to?.statusCategory?.key === 'done' : name.toLowerCase() === wanted));
  // The comment says it; no transition may be made from where the issue is.
  if (!found) return { delivered: [item], ticket: { ref: key, isOpen: true } };
  const call = jiraCall(settings, issueUrl(settings, key, '/transitions'), { transition: { id: found.id } });
  return { next: { call, state: { at: 'end', key } } };
}

function issueOf(item: OutputItem, settings: JiraSettings) {
  const { project, issueType, assignee, priority, fields } = settings;
  const level = priority[item.enrichment.answer.tier];
  return {
    fields: {
      ...fields,
      project: { key: project },
      issuetype: { name: issueType },
      summary: summaryOf(item),
      labels: ['ismalicious', labelOf(item), ...labelsOf(item, settings)],
      description: documentOf(ticketFacts(item, settings.evidenceUrl)),
      ...(assignee === '' ? {} : { assignee: { accountId: assignee } }),
      ...(level === undefined ? {} : { priority: { name: level } }),
    },
  };
}

/** Facts as an Atlassian document. */
function documentOf(facts: readonly (readonly [name: string, text: string])[]) {
  const content = facts.map(([name, text]) => ({ type: 'paragraph', content: [{ type: 'text', text: `${name}: ${text}` }] }));
  return { type: 'doc', version: 1, content };
}

function issueUrl({ baseUrl }: JiraSettings, key: string, path: string): URL {
  return new URL(`${baseUrl}/rest/api/3/issue/${encodeURIComponent(key)}${path}`);
}

function labelOf(item: OutputItem | undefined): string {
  return `ismalicious-${(item?.id ?? '').slice(0, 16)}`;
}

function jiraCall({ email, apiKey }: JiraSettings, url: URL, body: unknown): HttpOutputCall {
  const headers = { authorization: `Basic ${toBase64(`${email}:${apiKey}`)}`, accept: 'application/json' };
  if (body === null) return { kind: 'http', url, method: 'GET', headers, body: null };
  return { kind: 'http', url, method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
