import { LookupError } from '../../model/lookup-error.ts';
import { MAX_ANSWER_BYTES } from './transport.ts';

// Loaded for compressed answers only, which nobody asked for.
const zlib = () => process.getBuiltinModule('node:zlib');

const DECODERS: Readonly<Record<string, (bytes: Buffer, maxOutputLength: number) => Buffer>> = {
  gzip: (bytes, maxOutputLength) => zlib().gunzipSync(bytes, { maxOutputLength }),
  deflate: (bytes, maxOutputLength) => zlib().inflateSync(bytes, { maxOutputLength }),
  br: (bytes, maxOutputLength) => zlib().brotliDecompressSync(bytes, { maxOutputLength }),
};

/** The parsed JSON of an answer, or its text when it is no JSON. We ask for plain bodies; a server that compresses all the same is read too. */
export function decodeBody(provider: string, bytes: Buffer, encoding: string | undefined, maxBytes = MAX_ANSWER_BYTES): unknown {
  const decode = encoding && encoding !== 'identity' ? DECODERS[encoding] : undefined;
  if (encoding && encoding !== 'identity' && !decode)
    throw new LookupError('bad_response', provider, `answer in unknown encoding ${encoding.slice(0, 20)}`);
  let text: string;
  try {
    text = (decode ? decode(bytes, maxBytes) : bytes).toString('utf8');
  } catch (cause) {
    throw new LookupError('bad_response', provider, 'compressed answer is broken or too large', { cause });
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
