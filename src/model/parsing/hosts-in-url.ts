import type { Indicator, ParsedObservable } from '../indicator.ts';
import { parseIndicator } from '../parse-indicator.ts';

/** The host of a URL, and whether it may be asked about. */
export type Host = Exclude<ParsedObservable, { kind: 'invalid' }>;

/** Longest name with brackets and other defanging around each dot. */
const LONGEST_HOST = 2048;
/** How far into a URL another one is looked for, and how many of them count. */
const LOOKED_AT = 65_536;
const MAX_TARGETS = 4;
/** Percent signs are encoded once more by each page that passes a link on. */
const MAX_DECODINGS = 4;

/**
 * The host of a URL, whatever its length and whatever stands behind the host; user name and password are left out. `null`: it has none that
 * can be read.
 */
export function urlHost(text: string): Host | null {
  const start = text.search(/[^\s"'<([{]/);
  if (start < 0) return null;
  const head = text.slice(start, start + 64);
  const scheme = /^[a-z][a-z0-9+.*_#[\](){}-]{0,31}?[[({<]?:[\])}>]?[\\/]{2}[\])}>]?/i.exec(head)?.[0] ?? '';
  const from = start + scheme.length;
  const authority = text.slice(from, authorityEnd(text, from));
  const named = authority.slice(authority.lastIndexOf('@') + 1);
  if (scheme === '' && authority.length === text.length - from) return null;
  // Browsers drop tabs and line breaks; other programs end the URL there.
  const [cut = ''] = named.split(/[\s\p{Cc}]/u, 1);
  const joined = named.replaceAll(/[\t\r\n]/g, '');
  const first = hostOf(cut);
  return first?.kind === 'public' || joined === cut ? first : (hostOf(joined) ?? first);
}

/** Public hosts of URLs that stand in the path or query of a URL, spelled out or percent-encoded; the URL's own host is none. */
export function redirectTargets(url: string): Indicator[] {
  const own = urlHost(url);
  const from = authorityEnd(url, url.indexOf('://') + 3);
  const targets = new Map<string, Indicator>();
  let text = url.slice(from, from + LOOKED_AT);
  for (let times = 0; times < MAX_DECODINGS; times += 1) {
    for (const [, target = ''] of text.matchAll(/(?:[a-z][a-z0-9+.-]{1,15}:|[=&?])[\\/]{2,3}([^/?#&\\\s"'<>]{1,512})/gi)) {
      const host = hostOf(target.slice(target.lastIndexOf('@') + 1));
      if (host?.kind !== 'public' || targets.size >= MAX_TARGETS) continue;
      const { indicator } = host;
      if (indicator.value !== own?.indicator.value) targets.set(indicator.value, indicator);
    }
    const plain = decodedOnce(text);
    if (plain === text) break;
    text = plain;
  }
  return [...targets.values()];
}

function decodedOnce(text: string): string {
  return text.includes('%') ? text.replaceAll(/%([2-7][\da-f])/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))) : text;
}

/** The end of what stands between the scheme and the path. */
function authorityEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 47 || code === 63 || code === 35 || code === 92) return at;
  }
  return text.length;
}

/** An address or name, without its port. */
function hostOf(text: string): Host | null {
  if (text === '' || text.length > LONGEST_HOST) return null;
  const parsed = parseIndicator(decodedOnce(text));
  if (parsed.kind === 'invalid') return null;
  const { type } = parsed.indicator;
  return type === 'domain-name' || type === 'ipv4-addr' || type === 'ipv6-addr' ? parsed : null;
}
