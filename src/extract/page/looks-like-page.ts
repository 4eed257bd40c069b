/** Whether a text is a page, by how it starts. */
export function looksLikePage(text: string): boolean {
  return /^[\s\ufeff]{0,200}(?:<\?xml[^>]{0,200}\?>\s{0,20})?(?:<!--[^>]{0,400}-->\s{0,20}){0,4}<(?:!doctype\s+html|html|head|body|meta|title|script|style|table|div|form|iframe)\b/i.test(
    text.slice(0, 4096),
  );
}
