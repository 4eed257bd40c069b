import { createSign, generateKeyPairSync } from 'node:crypto';

const LENGTH_BITS = 0x80;
const BYTE = 256;
const TAG = { integer: 0x02, bits: 0x03, nothing: 0x05, oid: 0x06, utf8: 0x0c, time: 0x17, sequence: 0x30, set: 0x31, version: 0xa0 };
/** ecdsa-with-SHA256 and commonName, as DER writes them. */
const ECDSA_SHA256 = Buffer.from('2a8648ce3d040302', 'hex');
const COMMON_NAME = Buffer.from('550403', 'hex');

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const size: number[] = [];
  for (let rest = body.length; rest > 0; rest = Math.floor(rest / BYTE)) size.unshift(rest % BYTE);
  const head = body.length < LENGTH_BITS ? [tag, body.length] : [tag, LENGTH_BITS + size.length, ...size];
  return Buffer.concat([Buffer.from(head), body]);
}

/** A key and a certificate that nobody has signed but itself, made for one run and never written to disk. */
export function selfSigned(name: string): { readonly key: string; readonly cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(TAG.sequence, der(TAG.oid, ECDSA_SHA256));
  const subject = der(TAG.sequence, der(TAG.set, der(TAG.sequence, der(TAG.oid, COMMON_NAME), der(TAG.utf8, Buffer.from(name)))));
  const valid = der(TAG.sequence, der(TAG.time, Buffer.from('250101000000Z')), der(TAG.time, Buffer.from('491231235959Z')));
  const body = der(
    TAG.sequence,
    der(TAG.version, der(TAG.integer, Buffer.from([2]))),
    der(TAG.integer, Buffer.from([1])),
    algorithm,
    subject,
    valid,
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = createSign('sha256').update(body).sign(privateKey);
  const cert = der(TAG.sequence, body, algorithm, der(TAG.bits, Buffer.from([0]), signature));
  return {
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    cert: `-----BEGIN CERTIFICATE-----\n${cert.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`,
  };
}
