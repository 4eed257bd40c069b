// src/extract/page/: a web page as the text that its reader sees, with the places of each piece.
import { QuoteType, Tokenizer } from 'htmlparser2';
import type { TokenizerCallbacks } from 'htmlparser2';
import { codedAddresses } from './coded-address.ts';
import { MappedText } from './mapped-text.ts';
import { addAttribute } from './page-attribute.ts';

/** A page taken apart: the text that it shows, and what its mark-up names. */
export interface Page {
  readonly shown: MappedText;
  readonly named: MappedText;
}

/** How to read mark-up. */
export interface PageOptions {
  /** Whether a tag, in lower case, ends the word before it. Default: as HTML shows it. */
  readonly isBlock?: (tag: string) => boolean;
  /** Whether what stands in attributes counts. Default true. */
  readonly withAttributes?: boolean;
}

/** Elements that part words; all others stand in a line of text and part nothing (`q<b>z.com</b>`). */
const BLOCKS: ReadonlySet<string> = new Set(
  (
    'address article aside audio blockquote body br button canvas caption center col colgroup dd details dialog dir div dl dt embed fieldset figcaption figure footer form ' +
    'frame frameset h1 h2 h3 h4 h5 h6 head header hr html iframe img input legend li link main map menu meta nav noframes noscript object ol optgroup option p param ' +
    'pre script section select source style summary svg table tbody td template textarea tfoot th thead title tr track ul video'
  ).split(' '),
);
/** Characters nobody sees: soft hyphen, zero width. */
const INVISIBLE: ReadonlySet<number> = new Set([0xad, 0x200b, 0x200c, 0x200d, 0x2060, 0xfeff]);
/** A style sheet names hosts in these only. */
const STYLE_ADDRESS = /url\([^()]{1,4000}\)|@import\s{1,20}["'][^"']{1,2000}["']/gi;
/** Comments and pages inside of a page are read, too, this deep. */
const MAX_DEPTH = 3;
/** Longest `<base>` that is read, in characters. */
const MAX_TAG = 4096;

/** Takes a page apart, as browsers read it. Never throws; takes time linear in its length. */
export function readPage(html: string, options: PageOptions = {}): Page {
  const page: Page = { shown: new MappedText(), named: new MappedText() };
  new PageReader(html, page, { options, offset: 0, depth: 0, span: null, base: baseOf(html) }).read();
  return page;
}

/** Where a piece of mark-up stands, and how deep. */
interface Place {
  readonly options: PageOptions;
  readonly offset: number;
  readonly depth: number;
  /** Of a page inside of an attribute the place of the attribute: places in such a page are not known. */
  readonly span: { readonly start: number; readonly end: number } | null;
  /** What relative addresses are resolved against. */
  readonly base: string | null;
}

class PageReader implements TokenizerCallbacks {
  readonly #html: string;
  readonly #page: Page;
  readonly #place: Place;
  #tag = '';
  /** `script` or `style` while inside of one. */
  #raw = '';
  #name = '';
  #value = '';
  #nameEnd = 0;
  #at = 0;

  constructor(html: string, page: Page, place: Place) {
    this.#html = html;
    this.#page = page;
    this.#place = place;
  }

  read(): void {
    const tokenizer = new Tokenizer({ decodeEntities: true }, this);
    tokenizer.write(this.#html);
    tokenizer.end();
  }

  ontext(start: number, end: number): void {
    const text = this.#html.slice(start, end);
    if (this.#raw === 'style') this.#nameStyle(text, start);
    else if (this.#raw === 'script') this.#nameScript(text, start, end);
    else this.#add(this.#page.shown, text, start, end);
    this.#at = end;
  }

  ontextentity(code: number, end: number): void {
    if (!INVISIBLE.has(code)) this.#add(this.#page.shown, code === 0xa0 ? ' ' : String.fromCodePoint(code), this.#at, end);
    this.#at = end;
  }

  onopentagname(start: number, end: number): void {
    this.#tag = this.#html.slice(start, end).toLowerCase();
    this.#breakAt(this.#tag, start);
    this.#raw = this.#tag === 'script' || this.#tag === 'style' ? this.#tag : '';
    this.#at = end;
  }

  onclosetag(start: number, end: number): void {
    const tag = this.#html.slice(start, end).toLowerCase();
    this.#breakAt(tag, start);
    this.#raw = '';
    this.#at = end;
  }

  onattribname(start: number, end: number): void {
    this.#name = this.#html.slice(start, end).toLowerCase();
    this.#value = '';
    this.#nameEnd = end;
  }

  onattribdata(start: number, end: number): void {
    this.#value += this.#html.slice(start, end);
  }

  onattribentity(code: number): void {
    this.#value += String.fromCodePoint(code);
  }

  onattribend(quote: QuoteType, end: number): void {
    this.#at = end;
    if (this.#value === '' || this.#place.options.withAttributes === false) return;
    const lead = /^\s*=\s*["']?/.exec(this.#html.slice(this.#nameEnd, end))?.[0].length ?? 0;
    const isQuoted = quote === QuoteType.Single || quote === QuoteType.Double;
    const span = this.#spanOf(this.#nameEnd + lead, isQuoted ? end - 1 : end);
    const { depth, base } = this.#place;
    addAttribute({ tag: this.#tag, name: this.#name, value: this.#value, base, ...span }, this.#page.named, (inner) => {
      if (depth < MAX_DEPTH) this.#readInner(inner, { ...this.#place, offset: 0, depth: depth + 1, span });
    });
  }

  oncomment(start: number, end: number, endOffset: number): void {
    this.#at = end;
    const comment = this.#html.slice(start, end - endOffset);
    const { offset, depth } = this.#place;
    if (depth >= MAX_DEPTH || !comment.includes('<')) this.#nameText(comment, start);
    else this.#readInner(comment, { ...this.#place, offset: offset + start, depth: depth + 1 });
  }

  oncdata(start: number, end: number, endOffset: number): void {
    this.#add(this.#page.shown, this.#html.slice(start, end - endOffset), start, end - endOffset);
    this.#at = end;
  }

  ondeclaration(_start: number, end: number): void {
    this.#at = end;
  }

  onprocessinginstruction(_start: number, end: number): void {
    this.#at = end;
  }

  onopentagend(end: number): void {
    this.#at = end + 1;
  }

  onselfclosingtag(end: number): void {
    this.#at = end + 1;
    this.#raw = '';
  }

  /** A tag that never ends: what it holds is text. */
  onend(): void {
    if (this.#at < this.#html.length && this.#html.indexOf('<', this.#at) < 0) this.#nameText(this.#html.slice(this.#at), this.#at);
  }

  #nameText(text: string, start: number): void {
    this.#page.named.break(this.#spanOf(start, start).start);
    this.#add(this.#page.named, text, start, start + text.length);
    this.#page.named.break(this.#spanOf(start, start).start);
  }

  #nameScript(text: string, start: number, end: number): void {
    this.#add(this.#page.named, text, start, end);
    for (const coded of codedAddresses(text)) {
      this.#page.named.break(this.#spanOf(end, end).start);
      this.#add(this.#page.named, coded.address, start + coded.start, start + coded.end);
      this.#page.named.break(this.#spanOf(end, end).start);
    }
  }

  #nameStyle(text: string, start: number): void {
    for (const match of text.matchAll(STYLE_ADDRESS)) this.#nameText(match[0], start + match.index);
  }

  // oxlint-disable-next-line max-params -- where to, what, and its place.
  #add(into: MappedText, text: string, start: number, end: number): void {
    const span = this.#spanOf(start, end);
    into.add(text, span.start, span.end);
  }

  #spanOf(start: number, end: number): { start: number; end: number } {
    const { span, offset } = this.#place;
    return span ?? { start: start + offset, end: end + offset };
  }

  #breakAt(tag: string, at: number): void {
    const isBlock = this.#place.options.isBlock?.(tag) ?? BLOCKS.has(tag);
    if (isBlock) this.#page.shown.break(this.#spanOf(at, at).start);
  }

  /** What stands in a comment or an attribute is not shown in the line of text around it. */
  #readInner(html: string, place: Place): void {
    const inner: Page = { shown: this.#page.named, named: this.#page.named };
    this.#page.named.break(place.offset);
    new PageReader(html, inner, place).read();
    this.#page.named.break(place.offset);
  }
}

/** The address that relative ones are resolved against: that of the first `<base>`. */
function baseOf(html: string): string | null {
  const at = html.search(/<base\s/i);
  const tag = at < 0 ? '' : (html.slice(at, at + MAX_TAG).split('>', 1)[0] ?? '');
  const [, double, single, plain] = /\shref\s{0,8}=\s{0,8}(?:"([^"]*)"|'([^']*)'|([^\s>]+))/i.exec(tag) ?? [];
  const address = (double ?? single ?? plain ?? '').replaceAll('&amp;', '&').trim();
  return /^https?:/i.test(address) && URL.canParse(address) ? address : null;
}
