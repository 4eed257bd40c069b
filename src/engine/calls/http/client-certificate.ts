import { readFileSync } from 'node:fs';
import { builtinModule } from '../../../disk/builtin-module.ts';

/** What we show to the other side of TLS, to a server that asks who calls or to our own callers: PEM texts. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
  /** `null`: the key is not encrypted. */
  readonly passphrase: string | null;
}

/** Where the parts lie; without `certFile` no certificate is shown. */
export interface ClientCertificateFiles {
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly keyPassphrase?: string | undefined;
  readonly keyPassphraseFile?: string | undefined;
}

/** Makes the error for a certificate that cannot be used: which setting, which file (`null`: the setting itself), what to do. Told neither key nor passphrase. */
export type CertificateFault = (setting: keyof ClientCertificateFiles, path: string | null, message: string) => Error;

/**
 * Reads and tries the certificate, so that a wrong file or passphrase shows before the first call; `null`: none is set. Throws what `fault`
 * makes. `prefix`: what the settings' names begin with (`tls_` for `tls_cert_file`).
 */
export function readClientCertificate(files: ClientCertificateFiles, fault: CertificateFault, prefix = ''): ClientCertificate | null {
  const { certFile, keyFile, keyPassphrase, keyPassphraseFile } = files;
  if (certFile === undefined) {
    for (const setting of ['keyFile', 'keyPassphrase', 'keyPassphraseFile'] as const)
      if (files[setting] !== undefined) throw fault(setting, null, `needs ${prefix}cert_file beside it`);
    return null;
  }
  if (keyPassphrase !== undefined && keyPassphraseFile !== undefined)
    throw fault('keyPassphraseFile', null, `set ${prefix}key_passphrase or ${prefix}key_passphrase_file, not both`);
  const read = (setting: keyof ClientCertificateFiles, path: string) => readText(path, (message) => fault(setting, path, message));
  const cert = read('certFile', certFile);
  const key = keyFile === undefined ? cert : read('keyFile', keyFile);
  const passphrase = keyPassphraseFile === undefined ? keyPassphrase : firstLine(read('keyPassphraseFile', keyPassphraseFile));
  const certificate = { cert, key, passphrase: passphrase ?? null };
  const wrong = faultIn(certificate, prefix);
  if (wrong === null) return certificate;
  const setting = wrong.isOfKey && keyFile !== undefined ? 'keyFile' : 'certFile';
  throw fault(setting, setting === 'keyFile' ? (keyFile ?? null) : certFile, wrong.message);
}

/** The certificate as options of a TLS connection. */
export function tlsOptionsOf(client: ClientCertificate | null) {
  if (client === null) return {};
  const { cert, key, passphrase } = client;
  return { cert, key, ...(passphrase === null ? {} : { passphrase }) };
}

function faultIn(
  { cert, key: pem, passphrase }: ClientCertificate,
  prefix: string,
): { readonly isOfKey: boolean; readonly message: string } | null {
  const { X509Certificate, createPrivateKey } = builtinModule('node:crypto');
  const certificate = opened(() => new X509Certificate(cert));
  if (certificate === null) return { isOfKey: false, message: 'holds no certificate in PEM form' };
  const key = opened(() => createPrivateKey({ key: pem, ...(passphrase === null ? {} : { passphrase }) }));
  if (key === null) return { isOfKey: true, message: keyFault(pem, passphrase, prefix) };
  return certificate.checkPrivateKey(key) ? null : { isOfKey: true, message: `is not the private key of ${prefix}cert_file` };
}

/** What is in a PEM text; `null`: it cannot be read. What the parser says of it names offsets, not what to do. */
function opened<T>(open: () => T): T | null {
  try {
    return open();
  } catch {
    // Told by the caller, in words that name the remedy.
    return null;
  }
}

function keyFault(pem: string, passphrase: string | null, prefix: string): string {
  if (!pem.includes('PRIVATE KEY-----')) return `holds no private key in PEM form: set ${prefix}key_file`;
  if (!pem.includes('ENCRYPTED')) return 'holds a private key that cannot be read';
  return passphrase === null
    ? `is encrypted: set ${prefix}key_passphrase or ${prefix}key_passphrase_file`
    : `does not open with this passphrase: check ${prefix}key_passphrase or ${prefix}key_passphrase_file`;
}

function readText(path: string, fault: (message: string) => Error): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw fault(`cannot be read (${code}): check the path and its permissions`);
  }
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? '';
}
