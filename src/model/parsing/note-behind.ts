/** A value without what is surely no part of it: ` # note`, ` HTTP/1.1`, closing tags, and what stands behind the closing quote of a link. */
export function withoutNote(text: string): string {
  return text
    .replace(/\s+(?:#|\/\/|--)(?:\s.*|$)/s, '')
    .replace(/\s+HTTP\/\d(?:\.\d)?$/i, '')
    .replace(/^([^<>"\s]*)"\s*\/?>.*$/s, '$1')
    .replace(/^([^<]*?)(?:<\/[a-z][a-z\d]*\s*>\s*|<br\s*\/?>\s*)+$/i, '$1')
    .trimEnd();
}
