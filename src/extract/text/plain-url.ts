import { refang } from '../../model/refang.ts';

/** `hxxxp`, `htttp`, `h00p`, `xxxx`, `ttp`, `tps`: what is left of the scheme when its letters were crossed out, doubled or not copied. */
export const ODD_WEB = /^(?:h{1,2}[tx0]{1,5}p|h[tx]{2}|x{3,5}p?|t{1,3}p)s?$/i;
/** `http[://`: the bracket around the colon was never closed. */
const HALF_MARKED_COLON = /^([^/]{1,12})[[({]:\/\//;
/** Schemes that `refang` knows. */
const USUAL_SCHEME = /^(?:h(?:tt|xx)p|fxp|ftp)s?[:[({]/i;

/** The URL without what the text around it did to it: escapes of JSON and HTML, a blank behind the slashes. */
export function plainUrl(original: string): string {
  let plain = withoutEscapes(original);
  if (plain.includes('// ')) plain = plain.replace(/^([^/]{1,20}\/\/) /, '$1');
  if (plain.includes('p__')) plain = plain.replace(/^\[?(h[*#_x]{2}ps?)__/i, '$1://');
  const whole = refang(plainScheme(plain));
  return whole.includes('://') ? whole : refang(plainScheme(plain.replace(HALF_MARKED_COLON, '$1://')));
}

/** Path, query and fragment of a URL without what the text around it did to them. */
export function plainPath(original: string): string {
  const plain = withoutEscapes(original);
  const whole = refang(plain);
  return whole.includes('://') || !plain.includes('://') ? whole : refang(plain.replace(HALF_MARKED_COLON, '$1://'));
}

function withoutEscapes(original: string): string {
  let plain = original;
  if (plain.includes('\\/') && !plain.includes('\\\\')) plain = plain.replaceAll('\\/', '/');
  if (plain.includes('\\'))
    plain = plain
      .replace(/\\{1,4}([/=])/g, '$1')
      .replace(/\\{1,2}u00(26|3d|2b|25)/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return plain.includes('&') ? plain.replace(/&amp;|&#38;|&#x26;/gi, '&') : plain;
}

/** With a plain scheme instead of an odd or bracketed one: `h[tt]ps://`, `hxxxp://`, `ttp://`. */
function plainScheme(url: string): string {
  if (USUAL_SCHEME.test(url)) return url;
  const end = url.search(/[:[({]{1,2}\/\//);
  const letters = end < 0 || end > 12 ? '' : url.slice(0, end).replace(/[[\](){}]/g, '');
  if (letters === '' || !ODD_WEB.test(letters)) return url;
  return `http${/s$/i.test(letters) ? 's' : ''}${url.slice(end)}`;
}
