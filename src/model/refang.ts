/** Marks nested deeper than this are no defanging: the text is left as it is. */
const MAX_PASSES = 8;

/** Characters that stand for ASCII ones: ideographic and half-width full stops, one-dot leader. Full-width forms are computed. */
const DOT_LIKE = /[\u3002\uff0e\uff61\u2024]/g;
const FULL_WIDTH = /[\uff01-\uff5e]/g;
const INVISIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]/g;

/** Brackets may come doubled and with a blank inside, never with more: each search is bounded. */
const MARKED_DOT = / ?[[({<]{1,2} ?(?:\.|dot|d0t|punkt) ?[\])}>]{1,2} ?/gi;
const MARKED_AT = / ?[[({<]{1,2} ?(?:@|at) ?[\])}>]{1,2} ?/gi;
const MARKED_COLON = /[[({<]{1,2} ?(?::|colon) ?[\])}>]{1,2}/gi;
const MARKED_COLON_SLASHES = /[[({<]:[\\/]{2}[\])}>]/g;
const MARKED_SLASH = /[[({<]([\\/]{1,2}|slash)[\])}>]/gi;
const HALF_MARKED_DOT = /[[({]\.|\.[\])}]|\\\./g;
/** hxxp, hXXps, h**p, htxp, hxtp, h__p, fxp, and their colon and slashes, defanged or not. */
const SCHEME = /^[[({<]?(h[tx*_#]{2}p|f[tx*]p|meow)(s?|\(s\)|\[s\])[\])}>]?(?::?[\\/]{2}|:[\\/]?(?=[a-z0-9]))/i;

/** Whether the text may be defanged: it has a bracket, a backslash, a letter outside ASCII, or starts like a defanged scheme. */
export function isMaybeDefanged(text: string): boolean {
  return /[[\](){}<>\\*\u0080-\uffff]|^(?:hx|h_|h#|htx|fx|meow)|^https?(?:\/\/|:\/?[^/])/i.test(text);
}

/**
 * Undoes the usual ways of making an indicator harmless to click: `hxxp://evil[.]example`, `user[at]evil(dot)example`, `1.1.1[.1`,
 * full-width letters, invisible characters. Text that is not defanged comes back as it is; so does what was refanged already.
 */
export function refang(text: string): string {
  if (!isMaybeDefanged(text)) return text;
  let plain = text;
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const before = plain;
    plain = refangOnce(before);
    if (plain === before) return plain;
  }
  return text;
}

function refangOnce(text: string): string {
  return refangHost(text)
    .replace(MARKED_COLON_SLASHES, '://')
    .replace(MARKED_COLON, ':')
    .replace(MARKED_SLASH, (_, slashes: string) => (slashes.length === 2 ? '//' : '/'))
    .replace(MARKED_DOT, '.')
    .replace(MARKED_AT, '@')
    .replace(SCHEME, (_, scheme: string, secure: string) => `${plainScheme(scheme)}${secure === '' ? '' : 's'}://`);
}

function plainScheme(scheme: string): string {
  return /^f/i.test(scheme) ? 'ftp' : 'http';
}

/** What may be meant when it stands in a path is undone up to there only: look-alike characters, half-marked dots (`evil[.com`, `evil\.com`). */
function refangHost(text: string): string {
  const scheme = text.indexOf('://');
  const from = scheme < 0 ? 0 : scheme + 3;
  const slash = text.slice(from).search(/[/?#]/);
  const end = slash < 0 ? text.length : from + slash;
  const host = text
    .slice(0, end)
    .replace(INVISIBLE, '')
    .replace(FULL_WIDTH, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replace(DOT_LIKE, '.')
    .replace(MARKED_DOT, '.')
    .replace(HALF_MARKED_DOT, '.');
  return host + text.slice(end);
}
