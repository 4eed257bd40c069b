// src/model/formats/: formats and encodings that all rooms share, as pure functions.

/** Base64 (RFC 4648 §4) of a text in UTF-8. */
export function toBase64(text: string): string {
  let bytes = '';
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return btoa(bytes);
}
