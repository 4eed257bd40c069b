// src/extract/files/: archives and documents opened: what is in them is read like any other file.
import { decodeText } from '../decode-text.ts';
import type { InnerFile, OpenedText } from '../opened.ts';
import { readPage } from '../page/read-page.ts';

/** Parts of a document that hold its text, and what its links lead to (ECMA-376 part 2, OpenDocument 1.3). */
const TEXTS =
  /^(?:word\/(?:document|header\d*|footer\d*|footnotes|endnotes|comments)|xl\/(?:sharedStrings|worksheets\/[^/]+|externalLinks\/[^/]+)|ppt\/(?:slides|notesSlides)\/[^/]+|content|styles)\.xml$/;
const RELATIONS = /\.rels$/;
/** Elements that end a word: paragraphs, cells, breaks. */
const BLOCK = /^(?:(?:w|a):(?:p|br|tab|tc|cr|instrtext)|si|row|c|v|f|text:(?:p|h|line-break|tab)|table:.*)$/;
const LINK = /<Relationship\s[^<>]{0,4000}>/g;

/** Whether a file of a document is one that can name anything. */
export function isOfficeEntry(name: string): boolean {
  return TEXTS.test(name) || RELATIONS.test(name);
}

/** The text of a part of a document, and the addresses outside of it that it refers to (links, templates, remote pictures). */
export function extractTextOfOffice({ name, bytes }: InnerFile): OpenedText[] {
  const xml = decodeText(bytes);
  if (RELATIONS.test(name)) return [{ label: name, text: externalTargets(xml).join('\n'), isPage: false }];
  const { shown } = readPage(xml, { isBlock: (tag) => BLOCK.test(tag), withAttributes: false });
  const links = [...xml.matchAll(/\s(?:xlink:href|w:instr)="([^"]{1,4000})"/g)].map(([, target = '']) => withoutReferences(target));
  return [{ label: name, text: [shown.toString(), ...links].join('\n'), isPage: false }];
}

function externalTargets(xml: string): string[] {
  const relations = xml.match(LINK) ?? [];
  const external = relations.filter((relation) => /\sTargetMode\s*=\s*["']External["']/i.test(relation));
  return external.map((relation) => withoutReferences(/\sTarget\s*=\s*["']([^"']*)["']/i.exec(relation)?.[1] ?? ''));
}

function withoutReferences(text: string): string {
  return text.replace(/&(?:amp|#38|#x26);/gi, '&').replaceAll('&quot;', '"');
}
