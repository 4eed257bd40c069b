import * as z from 'zod/mini';
import { ConfigError } from './config-error.ts';
import { toSnakeCase } from './setting.ts';
import { shownPlace } from './shown-name.ts';

/** Settings of a client certificate (mTLS), where a server asks for one. */
export interface ClientCertificateSettings {
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly keyPassphrase?: string;
  readonly keyPassphraseFile?: string;
}

type Declare = <T extends z.ZodMiniType>(key: keyof ClientCertificateSettings, schema: T, doc: string, options?: { secret: boolean }) => T;

/** The settings of a client certificate; `declare` registers each under its block. */
export function clientCertificateShape(declare: Declare) {
  return {
    certFile: declare(
      'certFile',
      z.optional(z.string()),
      'PEM file with our certificate (and its intermediates), for a server that asks for one (mTLS).',
    ),
    keyFile: declare('keyFile', z.optional(z.string()), 'PEM file with the private key of cert_file; by default it is in cert_file too.'),
    keyPassphrase: declare('keyPassphrase', z.optional(z.string()), 'Passphrase of the private key.', { secret: true }),
    keyPassphraseFile: declare(
      'keyPassphraseFile',
      z.optional(z.string()),
      'File whose first line is the passphrase of the private key; instead of key_passphrase.',
    ),
  };
}

/** What is wrong with the client certificate of a block, as a wrong setting. */
export function certificateFault(block: string) {
  return (setting: keyof ClientCertificateSettings, path: string | null, message: string): ConfigError =>
    new ConfigError([{ key: `${block}.${toSnakeCase(setting)}`, place: shownPlace(path), message }]);
}
