import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { failureOf } from './read-answer.ts';
import { defineOutput } from './output.ts';
import { factsOf, summaryOf } from './item-summary.ts';

const setting = declareSettings('outputs.slack');
const Settings = z.object({
  baseUrl: setting('baseUrl', endpoint(), 'Incoming webhook; anyone who has it can post.', { secret: true }),
  batchSize: setting('batchSize', z._default(z.int().check(z.gte(1), z.lte(20)), 10), 'Indicators in one message, 1 to 20.'),
});

/** A notice in Slack, by incoming webhook. It knows no duplicates. */
export const slack = defineOutput<typeof Settings, null>({
  id: 'slack',
  title: 'Slack',
  docs: 'https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks',
  settings: Settings,
  defaults: { tiers: ['p1'], tellsTurns: true },
  limits: ({ batchSize }) => ({ items: batchSize, bytes: 100_000 }),
  start(items, { settings }) {
    const blocks = items.map((item) => {
      const facts = factsOf(item).map(([name, text]) => `*${name}:* ${slackText(text)}`);
      return { type: 'section', text: { type: 'mrkdwn', text: [`*${slackText(summaryOf(item))}*`, ...facts].join('\n').slice(0, 2900) } };
    });
    const text = items.length === 1 && items[0] ? summaryOf(items[0]) : `${items.length} indicators judged`;
    return {
      call: {
        kind: 'http',
        url: new URL(settings.baseUrl),
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ text: slackText(text), blocks }),
        isSecretUrl: true,
      },
      state: null,
    };
  },
  read(answer, _step, items, { nowS }) {
    // 410 and `no_service`: the webhook was taken back.
    if (answer.status === 410 || answer.body === 'no_service') return { halt: 'Slack: the webhook no longer exists' };
    return failureOf(answer, items, nowS) ?? { delivered: items };
  },
});

/** Slack's three control characters. */
function slackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
