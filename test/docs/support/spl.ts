/** A command of ours in a search: its name, its arguments as splunkd hands them over, and the search behind it. */
export interface SplCall {
  readonly name: string;
  readonly args: readonly string[];
  readonly after: string;
}

/** Calls of `| ismalicious…` in a search. Other commands are Splunk's. */
export function splCallsOf(search: string): SplCall[] {
  const segments = segmentsOf(search);
  return segments.flatMap((segment, n) => {
    const [name = '', ...args] = wordsOf(segment);
    return /^ismalicious(check|quota|extract|feedback)?$/.test(name) ? [{ name, args, after: segments.slice(n + 1).join(' | ') }] : [];
  });
}

/** Cuts at `|`, but not within quotes, and not within a macro's arguments. */
function segmentsOf(search: string): string[] {
  const segments: string[] = [''];
  let quote = '';
  for (const [n, char] of [...search].entries()) {
    if (quote !== '') quote = char === quote && search[n - 1] !== '\\' ? '' : quote;
    else if (char === '"' || char === '`') quote = char;
    if (char === '|' && quote === '') segments.push('');
    else segments[segments.length - 1] += char;
  }
  return segments.map((segment) => segment.trim()).filter((segment) => segment !== '');
}

function wordsOf(segment: string): string[] {
  return (segment.match(/(?:[^\s",]|"[^"]*")+/g) ?? []).map((word) => word.replaceAll('"', '')).reduce<string[]>(joinLists, []);
}

/** `types=url,ip` is one word. */
function joinLists(words: string[], word: string): string[] {
  const last = words.at(-1);
  if (last !== undefined && /^[a-z_]+=/.test(last) && !word.includes('=') && isListOption(last))
    return [...words.slice(0, -1), `${last},${word}`];
  return [...words, word];
}

function isListOption(word: string): boolean {
  return /^(only|types|providers)=/.test(word);
}
