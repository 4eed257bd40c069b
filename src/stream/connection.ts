import { readFileSync } from 'node:fs';
import type { BaseOptions } from '@platformatic/kafka';
import { ConfigError } from '../config/config-error.ts';
import type { KafkaSettings } from './kafka-settings.ts';

/** How brokers are reached, in the library's words. */
export type Connection = Pick<BaseOptions, 'bootstrapBrokers' | 'tls' | 'tlsServerName' | 'sasl' | 'clientId' | 'connectTimeout'>;

const MECHANISMS = { plain: 'PLAIN', 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512' } as const;
const CONNECT_MS = 10_000;

/** The connection that the settings describe. Throws a `ConfigError` for one that cannot be made, or that would show a password. */
export function connectionOf(settings: KafkaSettings, brokers: readonly string[]): Connection {
  if (brokers.length === 0) refuse('brokers', 'are not set: name them with --brokers host:port, or ISMALICIOUS_KAFKA_BROKERS');
  return {
    clientId: 'ismalicious-stream',
    bootstrapBrokers: [...brokers],
    connectTimeout: CONNECT_MS,
    ...(settings.tls ? { tls: tlsOf(settings), tlsServerName: true } : {}),
    ...saslOf(settings, brokers),
  };
}

function tlsOf({ caFile, certFile, keyFile }: KafkaSettings): NonNullable<BaseOptions['tls']> {
  if ((certFile === undefined) !== (keyFile === undefined)) refuse('cert_file', 'and kafka.key_file belong together: set both, or none');
  return {
    rejectUnauthorized: true,
    ...(caFile === undefined ? {} : { ca: readSetting('ca_file', caFile) }),
    ...(certFile === undefined || keyFile === undefined
      ? {}
      : { cert: readSetting('cert_file', certFile), key: readSetting('key_file', keyFile) }),
  };
}

function saslOf(settings: KafkaSettings, brokers: readonly string[]): Pick<BaseOptions, 'sasl'> {
  const { sasl, user, tls, plainText } = settings;
  if (sasl === 'none') {
    if (user !== undefined) refuse('sasl', 'says none, but kafka.user is set: say how to log in, such as scram-sha-512');
    return {};
  }
  if (user === undefined) refuse('user', `is not set: kafka.sasl ${sasl} needs it`);
  const far = brokers.find((broker) => !isThisMachine(broker));
  if (!tls && !plainText && far !== undefined)
    refuse('tls', `is off, and ${far} is another machine: set kafka.tls, or kafka.plain_text where the network is trusted`);
  const password = settings.password ?? (settings.passwordFile === undefined ? undefined : readPassword(settings.passwordFile));
  if (password === undefined) refuse('password', 'is not set: set ISMALICIOUS_KAFKA_PASSWORD, or kafka.password_file');
  return { sasl: { mechanism: MECHANISMS[sasl], username: user, password } };
}

function readPassword(path: string): string {
  return readSetting('password_file', path).replace(/\r?\n$/, '');
}

function readSetting(key: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return refuse(
      key,
      `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}): check the path and its permissions`,
    );
  }
}

function isThisMachine(broker: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/.test(broker);
}

function refuse(key: string, message: string): never {
  throw new ConfigError([{ key: `kafka.${key}`, place: 'configuration', message }]);
}
