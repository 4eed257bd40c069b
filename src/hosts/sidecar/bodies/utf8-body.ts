import { encodingOf, toUtf8 } from '../../../model/formats/text-encoding.ts';

/** A body in UTF-8; the very one where it is that already, with its mark. */
export function utf8Body(body: Buffer): Buffer {
  if (encodingOf(body).encoding === 'utf-8') return body;
  const text = toUtf8(body);
  return Buffer.from(text.buffer, text.byteOffset, text.length);
}
