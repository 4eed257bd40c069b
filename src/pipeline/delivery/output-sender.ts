import { createHmac } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ClientCertificate } from '../../engine/calls/http/client-certificate.ts';
import type { FileOutputCall, HttpOutputCall, OutputAnswer, OutputCall } from '../../outputs/output.ts';
import { nowS, type PipelineClock } from '../pipeline-clock.ts';
import { sendMail } from './smtp.ts';
import type { PipelineTransport } from '../pipeline-transport.ts';

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const TAKEN: OutputAnswer = { status: 200, headers: {}, body: null };

/** Carries out what outputs describe. Rejects when no whole answer came. */
export interface OutputSender {
  perform(call: OutputCall, signal: AbortSignal): Promise<OutputAnswer>;
}

/** Sends over the given transport, to files of this machine, and to mail servers. */
export function createOutputSender(options: {
  transport: PipelineTransport;
  clock: PipelineClock;
  timeoutMs: number;
  ca: string | null;
  client?: ClientCertificate | null;
}): OutputSender {
  const { transport, clock, timeoutMs, ca, client = null } = options;
  return {
    async perform(call, signal) {
      switch (call.kind) {
        case 'http':
          return transport.send(await toWire(call, nowS(clock)), { timeoutMs, maxBytes: MAX_ANSWER_BYTES, signal });
        case 'file':
          await writeText(call);
          return TAKEN;
        case 'mail':
          return sendMail(call, { timeoutMs, signal, ca, client, now: new Date(clock.nowMs()) });
      }
    },
  };
}

async function toWire({ url, method, headers, body, gzip: packs, signWith }: HttpOutputCall, atS: number) {
  if (body === null) return { url, method, headers };
  const signature = signWith === undefined ? {} : signatureOf(body, signWith, atS);
  if (!packs) return { url, method, headers: { ...headers, ...signature }, body };
  return {
    url,
    method,
    headers: { ...headers, ...signature, 'content-encoding': 'gzip' },
    body: await promisify(gzip)(body, { level: 1 }),
  };
}

function signatureOf(body: string, secret: string, atS: number): Record<string, string> {
  const hex = createHmac('sha256', secret).update(`${atS}.${body}`).digest('hex');
  return { 'x-ismalicious-timestamp': String(atS), 'x-ismalicious-signature': `sha256=${hex}` };
}

async function writeText(call: FileOutputCall): Promise<void> {
  await mkdir(dirname(call.path), { recursive: true });
  await (call.mode === 'create' ? replaceFile(call) : appendFile(call));
}

/** Written beside and moved into place: a reader sees the old file or the new one, never half of it. */
async function replaceFile({ path, text }: FileOutputCall): Promise<void> {
  const part = `${path}.part`;
  await writeFile(part, text, { mode: 0o600 });
  await rename(part, path);
}

async function appendFile({ path, text, header }: FileOutputCall): Promise<void> {
  const file = await open(path, 'a+', 0o600);
  try {
    const { size } = await file.stat();
    if (size === 0) await chmod(path, 0o600);
    const last = Buffer.alloc(1);
    if (size > 0) await file.read(last, 0, 1, size - 1);
    // A process that was killed while writing left half a line: it is ended, so that ours begins on its own.
    const isTorn = size > 0 && last[0] !== 0x0a;
    await file.appendFile(`${isTorn ? '\n' : ''}${size === 0 ? (header ?? '') : ''}${text}`);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** A PEM file with further authorities; `null` without a path. */
export async function readCaFile(path: string | undefined): Promise<string | null> {
  return path === undefined ? null : readFile(path, 'utf8');
}
