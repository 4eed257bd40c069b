// src/extract/links/: the address behind a link that a mail gateway rewrote.
import { bytesOfBase64, decodePercent, parameterOf, wholeUrl } from './link-parts.ts';
import { unwrapDefense } from './url-defense.ts';

/** A gateway or redirector that says in its links where they lead. */
interface Gateway {
  /** Its host, in lower case. */
  readonly host: RegExp;
  /** What its links have behind the host; none: any. */
  readonly path?: RegExp;
  /** Parameters that may hold the address, the first that does counts; or how to read it, as a whole address or `null`. */
  readonly target: readonly string[] | ((url: string) => string | null);
  /** Whether some of its links say the domain only. */
  readonly mayBeDomain?: boolean;
}

const URL_OR_U = ['url', 'u'] as const;

/** In the order of how often they are met. All say the address in the link; those that keep it on their own servers cannot be undone. */
const GATEWAYS: readonly Gateway[] = [
  // Microsoft Safe Links, in all clouds, and as Teams writes it.
  { host: /(?:^|\.)safelinks\.protection\.(?:[a-z]+\.)?(?:outlook|office365|office|microsoft|apps)\.[a-z]{2,3}$/, target: ['url'] },
  { host: /^statics\.teams\.(?:cdn\.office\.net|microsoft\.com)$/, path: /\/safelinks\//, target: ['url'] },
  // Outlook on the web.
  { host: /^outlook\.(?:office|office365|live)\.com$/, path: /^\/mail\/(?:[^?#]*\/)?safelink\.html\?/, target: ['url'] },
  // Proofpoint URL Defense.
  { host: /^urldefense(?:\.proofpoint)?\.(?:com|us)$/, target: unwrapDefense },
  { host: /(?:^|\.)google\.[a-z.]{2,6}$/, path: /^\/url\?/, target: ['q', 'url'] },
  { host: /^www\.google\.[a-z.]{2,6}$/, path: /^\/amp\//, target: unwrapAmp },
  { host: /^(?:www\.)?googleadservices\.com$|(?:^|\.)doubleclick\.net$/, target: ['adurl', 'ds_dest_url'] },
  { host: /^translate\.google\.[a-z.]{2,6}$/, target: ['u'] },
  { host: /^(?:l|lm|www|m)\.(?:facebook|instagram|messenger)\.com$/, path: /^\/(?:l\.php|flx\/warn\/?|)\?/, target: ['u'] },
  // Cisco: the address is the last part of the path.
  { host: /^secure-web\.cisco\.com$/, target: (url) => pathTarget(url, /^[a-z]+:\/\/[^/]+\/(?:[^/?#]+\/)+?((?:https?|ftp)(?::|%3a).+)$/i) },
  { host: /^linkprotect\.cudasvc\.com$/, target: ['a'] },
  // EdgePilot, and AppRiver, which it comes from.
  { host: /^link\.(?:edgepilot|zixcentral)\.com$/, target: ['u'] },
  { host: /^(?:[\w-]+\.)?protect\d*\.(?:fireeye|trellix)\.com$/, target: ['u'] },
  { host: /(?:^|\.)protection\.sophos\.com$/, target: unwrapSophos, mayBeDomain: true },
  // Mimecast says the domain only.
  { host: /(?:^|\.)(?:mimecast|mimecastprotect)\.com$/, target: ['url', 'domain'], mayBeDomain: true },
  { host: /(?:^|[.-])(?:ctp|urlprotect)\.trendmicro\.com$/, target: ['url'] },
  // Trustwave, Vade, Libraesva.
  { host: /^scanmail\.trustwave\.com$|^antiphishing\.vadesecure\.com$|^urlsand\.esvalabs\.com$/, target: ['u'] },
  { host: /^clicktime\.(?:cloud\.)?(?:symantec|postoffice)\.(?:com|net)$/, target: ['u'] },
  { host: /(?:^|\.)bitdefender\.com$/, path: /^\/scan\//, target: (url) => base64Target(/\/scan\/([\w+=-]+)/.exec(url)?.[1] ?? '') },
  { host: /^(?:www\.)?bing\.com$/, path: /^\/ck\/a\?/, target: (url) => base64Target((parameterOf(url, 'u') ?? '').slice(2)) },
  { host: /^(?:www\.)?linkedin\.com$/, path: /^\/(?:redir\/redirect|safety\/go|authwall)\/?\?/, target: ['url'] },
  { host: /^(?:www\.)?youtube\.com$/, path: /^\/redirect\?/, target: ['q'] },
  // Check Point Harmony, and Avanan, which it comes from: the address stands between underscores.
  {
    host: /^(?:protect\.checkpoint\.com|url\.avanan\.click)$/,
    target: (url) => pathTarget(url, /\/v\d\/(?:[\w-]+\/)??___((?:https?|ftp)(?::|%3a).+?)___/i),
  },
  { host: /(?:^|\.)outlook\.inky\.com$/, target: ['url', 'domain'], mayBeDomain: true },
  // What senders of mass mails count clicks with: SES, Postmark, Mandrill.
  { host: /\.awstrack\.me$/, target: (url) => pathTarget(url, /\/L0\/([^/?#]+)/) },
  { host: /^click\.pstmrk\.it$/, target: (url) => pathTarget(url, /\/\d?s\/([^/?#]+)/) },
  { host: /^mandrillapp\.com$/, path: /^\/track\/click\//, target: unwrapMandrill },
  // Caches of pages: `evil-com.cdn.ampproject.org/c/s/evil.com/a`.
  { host: /\.cdn\.ampproject\.org$/, target: (url) => unwrapAmp(url.replace(/\/[cvi]\//, '/amp/')) },
  // Pages that Google translates: `www-evil--site-com.translate.goog/a`.
  { host: /^[a-z\d-]+\.translate\.goog$/, target: unwrapTranslated },
  { host: /^googleweblight\.com$/, target: URL_OR_U },
  { host: /^r\.search\.yahoo\.com$/, target: (url) => pathTarget(url, /\/RU=([^/?#]+)/) },
  { host: /^t\.umblr\.com$/, path: /^\/redirect\?/, target: ['z'] },
  { host: /^medium\.com$/, path: /^\/r\/?\?/, target: ['url'] },
  { host: /^slack-redir\.net$/, target: ['url'] },
  { host: /^(?:deref-gmx\.(?:net|com)|deref-web\.de|deref-mail\.com)$/, target: ['redirecturl'] },
  { host: /^(?:html\.)?duckduckgo\.com$/, path: /^\/l\/\?/, target: ['uddg'] },
  { host: /^(?:www\.|m\.)?vk\.com$/, path: /^\/away\.php\?/, target: ['to'] },
  { host: /^steamcommunity\.com$/, path: /^\/linkfilter\/?\?/, target: URL_OR_U },
  { host: /^out\.reddit\.com$/, target: ['url'] },
];

/** The word before the suffix in each of those hosts, so that ordinary links never reach the list. */
const GATEWAY_WORDS: ReadonlySet<string> = new Set(
  (
    'outlook office365 office microsoft apps urldefense proofpoint google googleadservices doubleclick facebook instagram messenger cisco cudasvc edgepilot ' +
    'zixcentral fireeye trellix sophos mimecast mimecastprotect trendmicro symantec postoffice bitdefender bing linkedin youtube slack-redir deref-gmx deref-web ' +
    'deref-mail duckduckgo vk steamcommunity reddit checkpoint avanan inky awstrack pstmrk mandrillapp ampproject googleweblight yahoo umblr medium live ' +
    'trustwave vadesecure esvalabs translate'
  ).split(' '),
);

/**
 * The address behind a link that a mail gateway or a redirector rewrote: a whole URL, or a bare domain where only that is said. `null` when
 * it is none of those we know, or does not say. Undoes one layer. `url`: a canonical URL.
 */
export function unwrapLink(url: string): string | null {
  const hostFrom = url.indexOf('://') + 3;
  if (hostFrom < 3) return null;
  const [host = ''] = /^[^/:?#]*/.exec(url.slice(hostFrom, hostFrom + 253)) ?? [];
  if (!mayBeGateway(host)) return null;
  const rest = url.slice(hostFrom + host.length).replace(/^:\d{1,5}/, '');
  const gateway = GATEWAYS.find((each) => each.host.test(host) && (each.path?.test(rest) ?? true));
  if (gateway === undefined) return null;
  const address = typeof gateway.target === 'function' ? gateway.target(url) : firstAddress(url, gateway.target);
  if (address === null) return null;
  return gateway.mayBeDomain === true && /^[\w-]+(?:\.[\w-]+)+$/.test(address) ? address.toLowerCase() : wholeUrl(address);
}

/** Whether a host, in lower case, has the word of one of them before its suffix: `outlook`, `google` of `www.google.co.uk`. */
export function mayBeGateway(host: string): boolean {
  const labels = host.split('.');
  const word = labels.at(-2) ?? '';
  return GATEWAY_WORDS.has(word === 'co' || word === 'com' ? (labels.at(-3) ?? '') : word);
}

function firstAddress(url: string, names: readonly string[]): string | null {
  for (const name of names) {
    const address = decodePercent(parameterOf(url, name) ?? '');
    if (wholeUrl(address) !== null) return address;
  }
  return null;
}

function pathTarget(url: string, pattern: RegExp): string | null {
  const coded = pattern.exec(url)?.[1];
  return coded === undefined ? null : /^[a-z]+:/i.test(coded) ? coded : decodePercent(coded);
}

/** `/amp/s/evil.com/a`: with `s` the page is reached by https. */
function unwrapAmp(url: string): string | null {
  const match = /\/amp\/(s\/)?([\w-]+(?:\.[\w-]+)+.*)$/.exec(url);
  return match === null ? null : `http${match[1] === undefined ? '' : 's'}://${match[2] ?? ''}`;
}

/** In the host a hyphen stands for a dot and two for a hyphen; what Google adds to the query begins with `_x_tr_`. */
function unwrapTranslated(url: string): string | null {
  const [, label = '', path = '', query = ''] = /^https?:\/\/([a-z\d-]+)\.translate\.goog(?::\d{1,5})?([^?]*)\??(.*)$/i.exec(url) ?? [];
  const host = label.replaceAll(/--?/g, (hyphens) => (hyphens === '-' ? '.' : '-'));
  const isPlain = parameterOf(url, '_x_tr_sch') === 'http';
  const own = query.split('&').filter((pair) => pair !== '' && !pair.startsWith('_x_tr_'));
  return host.includes('.') ? `http${isPlain ? '' : 's'}://${host}${path}${own.length === 0 ? '' : `?${own.join('&')}`}` : null;
}

/** In base64 a map with a text that is a map with the address: `{"p":"{\"url\":…}"}`. */
function unwrapMandrill(url: string): string | null {
  const bytes = bytesOfBase64(decodePercent(parameterOf(url, 'p') ?? ''));
  const coded = bytes === null ? '' : new TextDecoder().decode(bytes);
  // Read as text: a link that was cut off has no whole map in it.
  return /url\\?":\\?"(.+?)\\?"/.exec(coded)?.[1]?.replaceAll(/\\+\//g, '/') ?? null;
}

/** The address is in base64, percent-escaped in it by some versions; `d` names its domain. */
function unwrapSophos(url: string): string | null {
  const coded = decodePercent(parameterOf(url, 'u') ?? '');
  return base64Target(coded) ?? (wholeUrl(coded) === null ? parameterOf(url, 'd') : coded);
}

function base64Target(coded: string): string | null {
  const bytes = coded === '' ? null : bytesOfBase64(decodePercent(coded));
  if (bytes === null) return null;
  const text = new TextDecoder().decode(bytes);
  const address = decodePercent(text);
  return /^(?:https?|ftp):\/\/\S+$/i.test(address) ? (/^[a-z]+%3a/i.test(text) ? address : text) : null;
}
