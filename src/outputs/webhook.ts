import * as z from 'zod/mini';
import { declareSettings, endpoint } from '../config/setting.ts';
import { sha256 } from '../model/formats/sha256.ts';
import { failureOf } from './forms/read-answer.ts';
import { toEventJson } from './forms/event-json.ts';
import { defineOutput } from './output.ts';

const setting = declareSettings('outputs.webhook');
const Settings = z.object({
  baseUrl: setting('baseUrl', endpoint(), 'Where events are posted.'),
  secret: setting('secret', z.string().check(z.minLength(16)), 'Shared secret, 16 characters or more, that signs every call.', {
    secret: true,
  }),
  batchSize: setting('batchSize', z._default(z.int().check(z.gte(1), z.lte(1000)), 100), 'Events in one call, 1 to 1000.'),
});

/**
 * A signed webhook: `x-ismalicious-signature: sha256=<hex>` is the HMAC-SHA256 of `<x-ismalicious-timestamp>.<body>`. Each event has its
 * idempotency key as `id`, the call has one of its own.
 */
export const webhook = defineOutput<typeof Settings, null>({
  id: 'webhook',
  title: 'Webhook',
  docs: 'https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/',
  settings: Settings,
  defaults: { tellsTurns: true },
  limits: ({ batchSize }) => ({ items: batchSize, bytes: 1_000_000 }),
  start: (items, { settings }) => ({
    call: {
      kind: 'http',
      url: new URL(settings.baseUrl),
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': hexOf(items.map(({ key }) => key).join('\n')) },
      body: JSON.stringify({ events: items.map(toEventJson) }),
      signWith: settings.secret,
      isSecretUrl: true,
    },
    state: null,
  }),
  read: (answer, _step, items, { nowS }) => failureOf(answer, items, nowS) ?? { delivered: items },
});

function hexOf(text: string): string {
  return Array.from(sha256(text), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
