import { extractLinks, extractText, getDocumentProxy } from 'unpdf';
import type { Opened } from '../opened.ts';
import { opened } from '../opened.ts';

/** Longest document that is read, in bytes, and how many of its pages. */
const MAX_BYTES = 32 << 20;
const MAX_PAGES = 200;

/** Opens a PDF document: the text of its pages, and what its links lead to. Only programs that may carry PDF.js (1.6 MB) import this. */
export async function openPdf(bytes: Uint8Array): Promise<Opened> {
  if (bytes.length > MAX_BYTES) return opened({ unread: `a PDF document of more than ${MAX_BYTES} bytes` });
  try {
    const pdf = await getDocumentProxy(Uint8Array.from(bytes), { verbosity: 0, stopAtErrors: false });
    if (pdf.numPages > MAX_PAGES) return opened({ unread: `a PDF document of ${pdf.numPages} pages` });
    const { links } = await extractLinks(pdf);
    const { text } = await extractText(pdf, { mergePages: false });
    await pdf.loadingTask.destroy();
    const texts = [links.join('\n'), ...text].map((each) => ({ label: '', text: each, isPage: false }));
    return opened({ texts });
  } catch (error) {
    if (error instanceof Error) return opened({ unread: `a PDF document that cannot be read: ${error.message}` });
    throw error;
  }
}
