import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Certificates of a test, as files of a folder of its own: `name.pem` and `name.key`. */
export interface Certificates {
  readonly folder: string;
  readonly file: (name: string) => string;
  readonly read: (name: string) => string;
  readonly openssl: (...args: string[]) => void;
  authority(name: string): void;
  /** A certificate of `name` for this machine, signed by `by`. */
  issue(name: string, by: string, days?: number): void;
  /** Deletes them. */
  remove(): void;
}

/** None yet. */
export function createCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'ismalicious-tls-'));
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  return {
    folder,
    file,
    read: (name) => readFileSync(file(name), 'utf8'),
    openssl,
    authority(name) {
      openssl('req', '-x509', ...NEW_KEY, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-days', '30', '-subj', `/CN=${name}`);
    },
    issue(name, by, days = 30) {
      openssl('req', ...NEW_KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
      writeFileSync(file(`${name}.ext`), 'subjectAltName=IP:127.0.0.1,DNS:localhost');
      const signed = `-CA ${by}.pem -CAkey ${by}.key -CAcreateserial -days ${days} -extfile ${name}.ext`.split(' ');
      openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-out', `${name}.pem`);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
