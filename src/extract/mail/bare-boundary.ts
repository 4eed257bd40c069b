/** The boundary that a mail begins with when its own headers were cut off, before the first header of a part; a form of a web page begins alike. */
const BARE_BOUNDARY = /^--(-{0,40}[^\s-][^\r\n]{0,69}?)[ \t]*\r?\n(?=Content-(?!Disposition: form-data)[\w-]{1,40}[ \t]{0,8}:)/i;

/** The boundary of a mail that has lost its headers and begins with its first part; `null`: it is none. */
export function bareBoundary(text: string): string | null {
  return BARE_BOUNDARY.exec(text.slice(0, 256))?.[1] ?? null;
}
