import * as z from 'zod/mini';
import { declareSettings } from '../config/setting.ts';
import { sha256 } from '../model/formats/sha256.ts';
import { failureOf } from './forms/read-answer.ts';
import { defineOutput } from './output.ts';
import { factsOf, summaryOf } from './forms/item-summary.ts';

const address = () => z.string().check(z.regex(/^[^\s@<>,;:"]+@[^\s@<>,;:"]+$/));

const setting = declareSettings('outputs.email');
const Settings = z.object({
  host: setting('host', z.string().check(z.minLength(1)), 'Mail server.'),
  port: setting('port', z._default(z.int().check(z.gte(1), z.lte(65_535)), 587), 'Its port: 587 for starttls, 465 for tls.'),
  security: setting('security', z._default(z.enum(['starttls', 'tls']), 'starttls'), 'starttls or tls; mail is never sent in the clear.'),
  username: setting('username', z._default(z.string(), ''), 'User for the mail server; empty: no login.'),
  password: setting('password', z._default(z.string(), ''), 'Password of that user.', { secret: true }),
  from: setting('from', address(), 'Sender address.'),
  to: setting('to', z.array(address()).check(z.minLength(1), z.maxLength(50)), 'Recipient addresses, 1 to 50.'),
  batchSize: setting('batchSize', z._default(z.int().check(z.gte(1), z.lte(200)), 50), 'Indicators in one message, 1 to 200.'),
});

/** A notice by e-mail, over TLS. A second copy has the same Message-ID. */
export const email = defineOutput<typeof Settings, null>({
  id: 'email',
  title: 'E-mail',
  docs: 'https://www.rfc-editor.org/rfc/rfc5321',
  settings: Settings,
  defaults: { tiers: ['p1'], tellsTurns: true },
  limits: ({ batchSize }) => ({ items: batchSize, bytes: 1_000_000 }),
  start(items, { settings }) {
    const { host, port, security, username: user, password, from, to } = settings;
    const texts = items.map((item) => [summaryOf(item), ...factsOf(item).map(([name, text]) => `  ${name}: ${text}`)].join('\n'));
    const subject = items.length === 1 && items[0] ? summaryOf(items[0]) : `isMalicious: ${items.length} indicators judged`;
    const messageId = Array.from(sha256(items.map(({ key }) => key).join('\n')).slice(0, 16), (byte) =>
      byte.toString(16).padStart(2, '0'),
    ).join('');
    return {
      call: {
        kind: 'mail',
        server: { host, port, security, user, password },
        from,
        to,
        subject,
        text: `${texts.join('\n\n')}\n`,
        messageId,
      },
      state: null,
    };
  },
  read: (answer, _step, items, { nowS }) => failureOf(answer, items, nowS) ?? { delivered: items },
});
