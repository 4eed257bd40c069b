/** Marks nested deeper than this are no defanging: the text is left as it is. */
const MAX_PASSES = 8;

/** What tells that a text may be defanged: a bracket, a backslash, an asterisk, a letter outside ASCII, an HTML reference, an odd scheme. */
const MAYBE_DEFANGED = /[[\](){}<>\\*\u0080-\uffff]|&(?:#|per|com|col)|^(?:hx|h_|h#|h0|htx|ht0|fx|meow)|^https?(?:\/\/|:\/?[^/])/i;

/**
 * A dot, at sign, colon or slash in brackets, or the word for it. Brackets may be two or three, of another kind at the end, with one blank inside
 * and outside, never with more: each search is bounded.
 */
const MARK = / ?[[({<]{1,3} ?(?:(\.|dot|d0t|punkt)|(@|at)|(:[\\/]{2})|(:|colon)|([\\/]{2})|([\\/]|slash)) ?[\])}>]{1,3} ?/gi;
const HALF_MARKED_DOT = /[[({]\.|\.[\])}]{1,3}|\\\./g;
/** HTML references for a dot, an at sign and a colon. */
const REFERENCE = /&(?:(#46|#x2e|period)|(#64|#x40|commat)|(?:#58|#x3a|colon));/gi;
/** hxxp, hXXps, h00p, h**p, htxp, hxtp, h__p, fxp, and their colon and slashes, defanged or not. */
const SCHEME = /^[[({<]?(h[tx0*_#]{2}p|f[tx*]p|meow)(s?|\(s\)|\[s\])[\])}>]?(?::?[\\/]{2}|:[\\/]?(?=[a-z0-9]))/i;

/** What needs a closer look before the path: letters outside ASCII, half a mark. */
const ODD_HOST = /[\u0080-\uffff\\]|[[({]\.|\.[\])}]/;
/** Characters that stand for ASCII ones: ideographic and half-width full stops, one-dot leader. Full-width forms are computed. */
const DOT_LIKE = /[\u3002\uff0e\uff61\u2024]/g;
const FULL_WIDTH = /[\uff01-\uff5e]/g;
/** Hyphens of typesetting, as copied from a PDF. */
const TYPESET_HYPHEN = /[\u2010\u2011]/g;
const INVISIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]/g;

/**
 * Undoes the usual ways of making an indicator harmless to click: `hxxp://evil[.]example`, `user[at]evil(dot)example`, `1.1.1[.1`,
 * full-width letters, invisible characters. Text that is not defanged comes back as it is; so does what was refanged already.
 */
export function refang(text: string): string {
  if (!MAYBE_DEFANGED.test(text)) return text;
  const usual = withoutUsualMarks(text);
  if (usual !== text && !MAYBE_DEFANGED.test(usual)) return usual;
  let plain = text;
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const before = plain;
    plain = refangOnce(before);
    if (plain === before) return plain;
  }
  return text;
}

/** `[.]` with nothing around it, nine of ten marks there are. */
function withoutUsualMarks(text: string): string {
  return text.includes(' [.]') || text.includes('[.] ') ? text : text.replaceAll('[.]', '.');
}

function refangOnce(text: string): string {
  let plain = refangHost(text).replace(MARK, plainMark);
  if (plain.includes('&')) plain = plain.replace(REFERENCE, (_, dot?: string, at?: string) => (dot ? '.' : at ? '@' : ':'));
  const isPlainScheme = plain.startsWith('http://') || plain.startsWith('https://');
  return isPlainScheme ? plain : plain.replace(SCHEME, plainScheme);
}

// oxlint-disable-next-line max-params -- one parameter for each group of the pattern.
function plainMark(_: string, dot?: string, at?: string, colonSlashes?: string, colon?: string, slashes?: string): string {
  if (dot) return '.';
  if (at) return '@';
  if (colonSlashes) return '://';
  if (colon) return ':';
  return slashes ? '//' : '/';
}

function plainScheme(_: string, scheme: string, secure: string): string {
  return `${/^f/i.test(scheme) ? 'ftp' : 'http'}${secure === '' ? '' : 's'}://`;
}

/** What may be meant when it stands in a path is undone up to there only: look-alike characters, half-marked dots (`evil[.com`, `evil\.com`). */
function refangHost(text: string): string {
  if (!ODD_HOST.test(text)) return text;
  const scheme = text.indexOf('://');
  const from = scheme < 0 ? 0 : scheme + 3;
  const slash = text.slice(from).search(/[/?#]/);
  const end = slash < 0 ? text.length : from + slash;
  const host = text
    .slice(0, end)
    .replace(INVISIBLE, '')
    .replace(FULL_WIDTH, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replace(DOT_LIKE, '.')
    .replace(TYPESET_HYPHEN, '-')
    .replace(MARK, plainMark)
    .replace(HALF_MARKED_DOT, '.');
  return host + text.slice(end);
}
