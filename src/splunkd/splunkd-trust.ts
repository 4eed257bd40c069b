import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as z from 'zod/mini';
import { parseConf } from './conf-file.ts';
import type { SplunkdSettings } from './splunk-settings.ts';
import { builtinModule } from '../disk/builtin-module.ts';

/** Which certificate of splunkd is accepted. */
export type SplunkdTrust =
  /** Signed by an authority we know, or by this one (PEM). */
  | { readonly kind: 'authority'; readonly ca: string | null }
  /** Exactly this one: its SHA-256 fingerprint in upper case with colons, as Node writes it. */
  | { readonly kind: 'pinned'; readonly fingerprint: string }
  /** Any, because it is this machine's own and the setting says so. */
  | { readonly kind: 'loopback' };

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

/**
 * Whom to believe: the certificate or authority that is set; else, on this machine, the very certificate that splunkd serves, read from
 * its file; else the authorities Node knows. Only `trust_loopback` accepts any, and only from this machine.
 */
export function splunkdTrust(
  host: string,
  settings: z.output<typeof SplunkdSettings>,
  env: Readonly<Record<string, string | undefined>>,
): SplunkdTrust {
  if (settings.certificateSha256 !== undefined) return { kind: 'pinned', fingerprint: withColons(settings.certificateSha256) };
  if (settings.caFile !== undefined) return { kind: 'authority', ca: readFileSync(settings.caFile, 'utf8') };
  if (!isLoopback(host)) return { kind: 'authority', ca: null };
  const own = ownFingerprint(env.SPLUNK_HOME);
  if (own !== null) return { kind: 'pinned', fingerprint: own };
  return settings.trustLoopback ? { kind: 'loopback' } : { kind: 'authority', ca: null };
}

/** Whether a host is this machine by its very name. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.has(host.replace(/^\[|\]$/g, '').toLowerCase());
}

/** Fingerprint of the certificate that splunkd on this machine serves; `null` when its file cannot be read. */
function ownFingerprint(home: string | undefined): string | null {
  if (!home) return null;
  try {
    const { X509Certificate } = builtinModule('node:crypto');
    return new X509Certificate(firstCertificate(readFileSync(certificateFile(home), 'utf8'))).fingerprint256;
  } catch {
    // Not there, not ours to read, or no certificate: the known authorities decide.
    return null;
  }
}

function certificateFile(home: string): string {
  const standard = join(home, 'etc', 'auth', 'server.pem');
  const file = serverCert(join(home, 'etc', 'system', 'local', 'server.conf'));
  return file === undefined ? standard : file.replace(/^\$SPLUNK_HOME/, home);
}

function serverCert(path: string): string | undefined {
  try {
    return parseConf(readFileSync(path, 'utf8')).sslConfig?.serverCert;
  } catch {
    // Without the file splunkd serves its standard certificate.
    return undefined;
  }
}

function firstCertificate(pem: string): string {
  return /-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/.exec(pem)?.[0] ?? '';
}

function withColons(fingerprint: string): string {
  const hex = fingerprint.replaceAll(':', '').toUpperCase();
  return (hex.match(/../g) ?? []).join(':');
}
