/** Text of others (feeds, providers, analysts) where Markdown is read: no links, images, emphasis, lists or HTML from it. */
export function markdownText(text: string): string {
  return text.replace(/[\\`*_~{}[\]<>()#!|]/g, (char) => `\\${char}`).replace(/^(\s*)([-+]|\d{1,9}(?=[.)]))(?=[\s.)])/, listInert);
}

/** The same, at most `most` characters long, never cut inside an escape. */
export function shortMarkdownText(text: string, most: number): string {
  const cut = markdownText(text).slice(0, most);
  const [slashes = ''] = /\\*$/.exec(cut) ?? [];
  return slashes.length % 2 === 1 ? cut.slice(0, -1) : cut;
}

/** A hyphen or number that would begin a list. */
function listInert(_all: string, blanks: string, mark: string): string {
  return /\d/.test(mark) ? `${blanks}${mark}\\` : `${blanks}\\${mark}`;
}
