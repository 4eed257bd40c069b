/**
 * The address behind a link that a mail gateway rewrote: Microsoft Safe Links, Proofpoint URL Defense (v2, v3), Google's redirector. `null`
 * when it is none of them. `url`: a canonical URL.
 */
export function unwrapLink(url: string): string | null {
  const host = /^https?:\/\/([^/:?#]+)/.exec(url)?.[1] ?? '';
  if (host.endsWith('safelinks.protection.outlook.com')) return parameterOf(url, 'url');
  if (host === 'urldefense.proofpoint.com' || host === 'urldefense.com') return unwrapDefense(url);
  if (/^www\.google\.[a-z.]{2,6}$/.test(host) && /^https?:\/\/[^/]+\/url\?/.test(url))
    return parameterOf(url, 'q') ?? parameterOf(url, 'url');
  return null;
}

function unwrapDefense(url: string): string | null {
  const third = /\/v3\/__(.+?)__;/.exec(url)?.[1];
  // A star stands for a character that is listed behind the link, in base64: it is rarely needed to tell where the link leads.
  if (third !== undefined) return /^https?:\/\//.test(third) ? third : null;
  const second = parameterOf(url, 'u');
  return second === null ? null : decode(second.replaceAll('-', '%').replaceAll('_', '/'));
}

function parameterOf(url: string, name: string): string | null {
  const query = url.slice(url.indexOf('?') + 1);
  const pair = query.split('&').find((each) => each.startsWith(`${name}=`));
  const value = pair === undefined ? null : decode(pair.slice(name.length + 1));
  return value !== null && /^https?:\/\//i.test(value) ? value : name === 'u' ? value : null;
}

function decode(text: string): string | null {
  // Every escape has to be whole; what they make has to be UTF-8.
  if (/%(?![\da-f]{2})/i.test(text)) return null;
  const bytes = Uint8Array.from(
    text.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    (each) => each.charCodeAt(0),
  );
  return new TextDecoder().decode(bytes);
}
