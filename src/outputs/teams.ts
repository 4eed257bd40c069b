import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { markdownText, shortMarkdownText } from '../model/formats/markdown-text.ts';
import { failureOf } from './forms/read-answer.ts';
import { defineOutput } from './output.ts';
import { factsOf, summaryOf } from './forms/item-summary.ts';

const setting = declareSettings('outputs.teams');
const Settings = z.object({
  baseUrl: setting('baseUrl', endpoint(), 'Workflow webhook of the channel; anyone who has it can post.', { secret: true }),
  batchSize: setting(
    'batchSize',
    z._default(z.int().check(z.gte(1), z.lte(10)), 5),
    'Indicators in one message, 1 to 10: Teams takes 28 KB.',
  ),
});

const MAX_FACT_CHARS = 500;

/** A notice in Microsoft Teams, as adaptive card to a workflow webhook. It knows no duplicates. Its texts are Markdown: what others wrote stays plain. */
export const teams = defineOutput<typeof Settings, null>({
  id: 'teams',
  title: 'Microsoft Teams',
  docs: 'https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook',
  settings: Settings,
  defaults: { tiers: ['p1'], tellsTurns: true },
  limits: ({ batchSize }) => ({ items: batchSize, bytes: 28_000 }),
  start(items, { settings }) {
    const body = items.flatMap((item) => [
      { type: 'TextBlock', text: markdownText(summaryOf(item)), weight: 'Bolder', wrap: true },
      { type: 'FactSet', facts: factsOf(item).map(([title, value]) => ({ title, value: shortMarkdownText(value, MAX_FACT_CHARS) })) },
    ]);
    const content = { $schema: 'http://adaptivecards.io/schemas/adaptive-card.json', type: 'AdaptiveCard', version: '1.4', body };
    return {
      call: {
        kind: 'http',
        url: new URL(settings.baseUrl),
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }] }),
        isSecretUrl: true,
      },
      state: null,
    };
  },
  read: (answer, _step, items, { nowS }) => failureOf(answer, items, nowS) ?? { delivered: items },
});
