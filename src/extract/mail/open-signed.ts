import { fromBER, Constructed, ObjectIdentifier, OctetString, Sequence } from 'asn1js';
import type { BaseBlock } from 'asn1js';
import type { Opened } from '../opened.ts';
import { opened } from '../opened.ts';

/** Types of content of a signed or wrapped message (RFC 5652 §4 to 6, RFC 3274). */
const SIGNED_DATA = '1.2.840.113549.1.7.2';
const ENVELOPED_DATA = new Set(['1.2.840.113549.1.7.3', '1.2.840.113549.1.9.16.1.23']);

/** Opens a message that is signed as a whole (S/MIME `smime.p7m`): the mail inside. One that is encrypted cannot be read, and says so. */
export function openSigned(bytes: Uint8Array): Opened {
  const { result, offset } = fromBER(Uint8Array.from(bytes));
  const [type, wrapped] = offset < 0 ? [] : childrenOf(result);
  const id = type instanceof ObjectIdentifier ? type.valueBlock.toString() : '';
  if (ENVELOPED_DATA.has(id)) return opened({ unread: 'encrypted' });
  if (id !== SIGNED_DATA) return opened({ unread: 'not a signed message that can be read' });
  // SignedData: version, digest algorithms, the content with its type, …
  const content = childrenOf(childrenOf(wrapped)[0]).find((each, at) => at > 1 && each instanceof Sequence);
  const inner = childrenOf(childrenOf(content)[1])[0];
  if (!(inner instanceof OctetString)) return opened({});
  return opened({
    files: [{ name: '', type: 'message/rfc822', charset: '', bytes: new Uint8Array(inner.getValue()), isAttachment: false }],
    isWrapper: true,
  });
}

function childrenOf(block: BaseBlock | undefined): BaseBlock[] {
  return block instanceof Constructed ? block.valueBlock.value : [];
}
