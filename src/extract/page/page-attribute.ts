import { decodePercent } from '../links/link-parts.ts';
import { browserUrl } from './browser-url.ts';
import { codedAddresses } from './coded-address.ts';
import type { MappedText } from './mapped-text.ts';

/** An attribute, its value decoded, and where the value stands in the page. */
export interface PageAttribute {
  readonly tag: string;
  readonly name: string;
  readonly value: string;
  readonly base: string | null;
  readonly start: number;
  readonly end: number;
}

/** Attributes that hold one address. */
const ADDRESSES: ReadonlySet<string> = new Set(
  'href src action formaction data poster background cite longdesc manifest codebase profile icon xlink:href lowsrc dynsrc data-src data-href data-url'.split(
    ' ',
  ),
);
/** Attributes that name nothing on the network: names of styles, shapes, checks. */
const SILENT = /^(?:class|id|d|points|transform|viewbox|integrity|nonce|xmlns(?::.*)?|xml:.*)$/;
const REFRESH = /^\s{0,20}[\d.]{0,12}\s{0,20}[;,]?\s{0,20}url\s{0,8}=\s{0,8}["']?([^"']*)/i;
const STYLE_ADDRESS = /url\([^()]{1,4000}\)/gi;
/** Longest page inside of an address that is read, in characters. */
const MAX_INNER = 1 << 20;

/** Adds to `named` what an attribute names. `readInner`: reads a page that stands in it. */
export function addAttribute(attribute: PageAttribute, named: MappedText, readInner: (html: string) => void): void {
  const { name, value, start, end } = attribute;
  if (SILENT.test(name)) return;
  if (name === 'srcdoc') return readInner(value);
  for (const text of [...textsOf(attribute), ...codedAddresses(value).map(({ address }) => address)]) {
    if (/^data:/i.test(text)) {
      const inner = pageInside(text);
      if (inner !== null) readInner(inner);
      continue;
    }
    named.break(start);
    named.add(text, start, end);
    named.break(end);
  }
}

function textsOf({ tag, name, value, base }: PageAttribute): string[] {
  if (ADDRESSES.has(name)) return [browserUrl(value, base)];
  if (name === 'style') return value.match(STYLE_ADDRESS) ?? [];
  if (name === 'ping')
    return value
      .trim()
      .split(/\s+/)
      .map((each) => browserUrl(each, base));
  if (name === 'srcset' || name === 'imagesrcset')
    return value.split(/,\s+|,(?=https?:)/).map((each) => browserUrl(each.trim().split(/\s+/)[0] ?? '', base));
  const refresh = tag === 'meta' && name === 'content' ? REFRESH.exec(value)?.[1] : undefined;
  return [refresh === undefined ? value : browserUrl(refresh, base)];
}

/** `data:text/html;base64,…`: the page in it; `null` for pictures and other data. */
function pageInside(address: string): string | null {
  const match = /^data:(?:text\/(?:html|xml)|image\/svg\+xml|application\/xhtml\+xml)?(?:;[\w=-]{1,40}){0,4}?(;base64)?,/i.exec(
    address.slice(0, 256),
  );
  if (match === null || address.length > MAX_INNER) return null;
  const content = address.slice(match[0].length);
  const plain = decodePercent(content);
  return match[1] === undefined ? plain : Buffer.from(plain, 'base64').toString('utf8');
}
