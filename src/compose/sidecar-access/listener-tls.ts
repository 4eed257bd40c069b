import { X509Certificate } from 'node:crypto';
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import type { SecureContextOptions } from 'node:tls';
import { shownPlace } from '../../config/shown-name.ts';
import { ConfigError } from '../../config/config-error.ts';
import { toSnakeCase } from '../../config/setting.ts';
import { type ClientCertificateFiles, readClientCertificate, tlsOptionsOf } from '../../engine/calls/http/client-certificate.ts';
import { errorMessage } from '../../model/formats/error-message.ts';

/** How often the files are looked at. */
const WATCH_MS = 1000;
const WEEK_MS = 604_800_000;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g;

/** Where the parts of a listener's TLS lie. */
export interface TlsSettings {
  readonly tlsCertFile?: string | undefined;
  readonly tlsKeyFile?: string | undefined;
  readonly tlsKeyPassphrase?: string | undefined;
  readonly tlsKeyPassphraseFile?: string | undefined;
  readonly tlsClientCaFile?: string | undefined;
  readonly socket?: string | undefined;
}

/** What a listener speaks TLS with. */
export interface ListenerTls {
  /** As the files were when they were last read. */
  readonly context: SecureContextOptions;
  /** Whether callers have to show a certificate of their own. */
  readonly asksCallers: boolean;
  /** That the certificate is over, or will be within a week; empty: it is not. */
  doubts(): readonly string[];
  /** Gives what the files hold when one of them changes, until it is closed. What cannot be used then is told through `onFault`, and changes nothing. */
  watch(take: (context: SecureContextOptions) => void, onFault: (words: string) => void): void;
  close(): void;
}

/** Reads and tries the files; `null`: none is set, the listener speaks plain http. Throws a `ConfigError` that names setting, file and remedy. */
export function readListenerTls(settings: TlsSettings): ListenerTls | null {
  let context = readContext(settings);
  if (context === null) return null;
  const current = () => context ?? {};
  const { tlsCertFile, tlsKeyFile, tlsKeyPassphraseFile, tlsClientCaFile } = settings;
  const files = new Set([tlsCertFile, tlsKeyFile, tlsKeyPassphraseFile, tlsClientCaFile].filter((path) => path !== undefined));
  let onChange = () => {};
  return {
    get context() {
      return current();
    },
    asksCallers: tlsClientCaFile !== undefined,
    doubts: () => doubtsOf(current(), Date.now()),
    watch(take, onFault) {
      onChange = () => {
        try {
          context = readContext(settings);
          take(current());
        } catch (error) {
          onFault(`${errorMessage(error).replaceAll(/\s+/g, ' ')}; what was there before still counts`);
        }
      };
      for (const file of files) watchFile(file, { interval: WATCH_MS, persistent: false }, onChange);
    },
    close() {
      for (const file of files) unwatchFile(file, onChange);
    },
  };
}

function doubtsOf({ cert }: SecureContextOptions, nowMs: number): string[] {
  const untilMs = Date.parse(new X509Certificate(String(cert)).validTo);
  if (untilMs - nowMs > WEEK_MS) return [];
  return [`the TLS certificate is valid until ${new Date(untilMs).toISOString()}: put a new one into sidecar.tls_cert_file`];
}

function readContext(settings: TlsSettings): SecureContextOptions | null {
  const { tlsCertFile, tlsKeyFile, tlsKeyPassphrase, tlsKeyPassphraseFile, tlsClientCaFile, socket } = settings;
  const certificate = readClientCertificate(
    { certFile: tlsCertFile, keyFile: tlsKeyFile, keyPassphrase: tlsKeyPassphrase, keyPassphraseFile: tlsKeyPassphraseFile },
    (setting, path, message) => fault(NAMES[setting], path, message),
    'tls_',
  );
  if (certificate === null) {
    if (tlsClientCaFile !== undefined) throw fault('tlsClientCaFile', null, 'needs tls_cert_file beside it');
    return null;
  }
  if (socket !== undefined)
    throw fault('tlsCertFile', null, 'is for host and port: take sidecar.socket out, which only this user can reach');
  return {
    ...tlsOptionsOf(certificate),
    minVersion: 'TLSv1.2',
    ...(tlsClientCaFile === undefined ? {} : { ca: readAuthorities(tlsClientCaFile) }),
  };
}

const NAMES = {
  certFile: 'tlsCertFile',
  keyFile: 'tlsKeyFile',
  keyPassphrase: 'tlsKeyPassphrase',
  keyPassphraseFile: 'tlsKeyPassphraseFile',
} satisfies Record<keyof ClientCertificateFiles, keyof TlsSettings>;

/** Each is tried: what is no certificate would be left out without a word, and who is to come in would not. */
function readAuthorities(path: string): string[] {
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw fault('tlsClientCaFile', path, `cannot be read (${code}): check the path and its permissions`);
  }
  const found = text.match(PEM_CERTIFICATE) ?? [];
  if (found.length === 0) throw fault('tlsClientCaFile', path, 'holds no certificate in PEM form');
  const bad = found.findIndex((pem) => !isCertificate(pem));
  if (bad >= 0) throw fault('tlsClientCaFile', path, `its certificate ${bad + 1} of ${found.length} cannot be read: put it there again`);
  return [...found];
}

function fault(setting: keyof TlsSettings, path: string | null, message: string): ConfigError {
  return new ConfigError([{ key: `sidecar.${toSnakeCase(setting)}`, place: shownPlace(path), message }]);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    // Its error names offsets, not what to do.
    return false;
  }
}
