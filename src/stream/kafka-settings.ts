import * as z from 'zod/mini';
import { declareSettings } from '../config/setting.ts';

const setting = declareSettings('kafka');
const text = () => z.string().check(z.minLength(1));

/** Settings of the connection to Kafka (block `kafka`), which `ismalicious stream` uses. */
export const KafkaSettings = z.object({
  brokers: setting(
    'brokers',
    z._default(z.array(z.string().check(z.regex(/^[^\s,/@]+$/))), []),
    'Brokers to begin with, as `host:port`; they name the others. `--brokers` goes before it.',
  ),
  tls: setting('tls', z._default(z.boolean(), false), 'Whether brokers are reached over TLS; their certificates are always verified.'),
  caFile: setting('caFile', z.optional(text()), 'PEM file with the certificate authority that signed the brokers’ certificates.'),
  certFile: setting('certFile', z.optional(text()), 'PEM file with the certificate that we show to the brokers; with `key_file`.'),
  keyFile: setting('keyFile', z.optional(text()), 'PEM file with the key of `cert_file`.'),
  sasl: setting(
    'sasl',
    z._default(z.enum(['none', 'plain', 'scram-sha-256', 'scram-sha-512']), 'none'),
    'How we log in at the brokers: `none`, `plain`, `scram-sha-256` or `scram-sha-512`.',
  ),
  user: setting('user', z.optional(text()), 'Name to log in with.'),
  password: setting('password', z.optional(text()), 'Password to log in with; or `password_file`.', { secret: true }),
  passwordFile: setting(
    'passwordFile',
    z.optional(text()),
    'File with the password to log in with; a line break at its end does not count.',
  ),
  plainText: setting(
    'plainText',
    z._default(z.boolean(), false),
    'Whether we may log in without TLS at brokers on another machine, where events can be read on the way, and with `plain` the password too.',
  ),
});

export type KafkaSettings = z.infer<typeof KafkaSettings>;
