import { LookupError } from '../../../model/lookup-error.ts';
import { repeatsKey } from './repeated-keys.ts';
import { MAX_ANSWER_BYTES } from './transport.ts';
import { readUnicode } from '../../../model/formats/text-encoding.ts';
import { builtinModule } from '../../../disk/builtin-module.ts';

// Loaded for compressed answers only, which nobody asked for.
const zlib = () => builtinModule('node:zlib');

/** From here on a status is a refusal. */
const MIN_REFUSAL = 400;

type Decoder = (bytes: Buffer, maxOutputLength: number) => Buffer;

const gunzip: Decoder = (bytes, maxOutputLength) => zlib().gunzipSync(bytes, { maxOutputLength });
const DECODERS: ReadonlyMap<string, Decoder> = new Map([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['deflate', (bytes, maxOutputLength) => zlib().inflateSync(bytes, { maxOutputLength })],
  ['br', (bytes, maxOutputLength) => zlib().brotliDecompressSync(bytes, { maxOutputLength })],
]);

/** All of an answer, of at most `maxBytes`; of a longer one no more is read. */
export async function readBytes(
  provider: string,
  body: AsyncIterable<Uint8Array> & { destroy?(): unknown },
  maxBytes: number,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop ends the body.
  for await (const part of body) {
    size += part.byteLength;
    if (size > maxBytes) {
      body.destroy?.();
      throw new LookupError('bad_response', provider, `answer larger than ${maxBytes} bytes`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts, size);
}

/** What came of an answer that does not end, within `forMs` and of `mostBytes` at most (and the rest of the part in which that was reached). Ends it. */
export async function readStream(
  body: AsyncIterable<Uint8Array> & { destroy(): unknown },
  { forMs, mostBytes }: { readonly forMs: number; readonly mostBytes: number },
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    body.destroy();
  }, forMs);
  try {
    for await (const part of body) {
      parts.push(part);
      size += part.byteLength;
      if (size >= mostBytes) break;
    }
  } catch (error) {
    // What was read before the server went away is whole events, and perhaps the beginning of one: the rest comes next time.
    if (!isOver && size === 0) throw error;
  } finally {
    clearTimeout(timer);
    body.destroy();
  }
  return Buffer.concat(parts, size);
}

/** How an answer is decoded. */
export interface DecodeOptions {
  /** Its `content-encoding`. */
  readonly encoding?: string | undefined;
  readonly maxBytes?: number;
  /** See `HttpCall.saidOnce`. */
  readonly saidOnce?: readonly string[] | undefined;
}

/** The parsed JSON of an answer, or its text when it is no JSON. We ask for plain bodies; a server that compresses all the same is read too. */
export function decodeBody(
  provider: string,
  bytes: Buffer,
  { encoding, maxBytes = MAX_ANSWER_BYTES, saidOnce = [] }: DecodeOptions = {},
): unknown {
  const isCoded = encoding !== undefined && encoding !== '' && encoding !== 'identity';
  const decode = isCoded ? DECODERS.get(encoding.toLowerCase()) : undefined;
  if (isCoded && !decode)
    throw new LookupError('bad_response', provider, `answer in unknown encoding ${JSON.stringify(encoding.slice(0, 20))}`);
  let text: string;
  try {
    text = readUnicode(decode ? decode(bytes, maxBytes) : bytes);
  } catch (cause) {
    throw new LookupError('bad_response', provider, 'compressed answer is broken or too large', { cause });
  }
  if (text.codePointAt(0) === 0xfeff) text = text.slice(1);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text) as unknown;
  } catch {
    return text;
  }
  if (saidOnce.length > 0 && repeatsKey(text, saidOnce))
    throw new LookupError('bad_response', provider, 'answer says one thing twice: it contradicts itself');
  return parsed;
}

/** The body of an answer that may be a refusal: of one whose status says enough, a body that is not what its headers say is no matter. */
export function bodyOf(provider: string, status: number, { bytes, ...options }: DecodeOptions & { readonly bytes: Buffer }): unknown {
  try {
    return decodeBody(provider, bytes, options);
  } catch (error) {
    if (status < MIN_REFUSAL) throw error;
    return '';
  }
}
