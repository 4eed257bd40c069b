import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connectionOf } from '../../src/stream/connection.ts';
import type { KafkaSettings } from '../../src/stream/kafka-settings.ts';

const plain: KafkaSettings = { brokers: [], tls: false, sasl: 'none', plainText: false };
const login: KafkaSettings = { ...plain, sasl: 'scram-sha-256', user: 'me', password: 'geheim' };
const FAR = ['kafka.example.com:9092'];
const NEAR = ['127.0.0.1:9092'];

describe('connectionOf', () => {
  it.each<[string, KafkaSettings, string[], RegExp]>([
    ['no broker', plain, [], /kafka\.brokers .*--brokers host:port/],
    ['a login without TLS at another machine', login, FAR, /kafka\.tls .*kafka\.example\.com:9092 is another machine/],
    ['a login without a user', { ...login, user: undefined }, NEAR, /kafka\.user .*needs it/],
    ['a login without a password', { ...login, password: undefined }, NEAR, /ISMALICIOUS_KAFKA_PASSWORD/],
    ['a user without a login', { ...plain, user: 'me' }, NEAR, /kafka\.sasl .*say how to log in/],
    ['a certificate without its key', { ...plain, tls: true, certFile: 'c.pem' }, NEAR, /cert_file .*belong together/],
    [
      'a certificate authority that is not there',
      { ...plain, tls: true, caFile: '/nowhere/ca.pem' },
      NEAR,
      /ca_file .*\/nowhere\/ca\.pem.*ENOENT/,
    ],
  ])('refuses %s, naming the setting', (_what, settings, brokers, words) => {
    expect(() => connectionOf(settings, brokers)).toThrow(words);
  });

  it('logs in with TLS at any machine, and without it at this one or where plain text was allowed', () => {
    expect(connectionOf({ ...login, tls: true }, FAR)).toMatchObject({
      tls: { rejectUnauthorized: true },
      sasl: { mechanism: 'SCRAM-SHA-256' },
    });
    expect(connectionOf(login, NEAR)).toMatchObject({ sasl: { username: 'me', password: 'geheim' } });
    expect(connectionOf({ ...login, plainText: true }, FAR)).toMatchObject({ sasl: { username: 'me' } });
  });

  it('takes the password out of a file, without the line break at its end', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ismalicious-kafka-password-'));
    writeFileSync(join(folder, 'password'), 'from file \n');
    const settings = { ...login, password: undefined, passwordFile: join(folder, 'password') };
    expect(connectionOf(settings, NEAR)).toMatchObject({ sasl: { password: 'from file ' } });
    rmSync(folder, { recursive: true });
  });
});
