import msgReader from '@kenjiuno/msgreader';
import type { FieldsData } from '@kenjiuno/msgreader';
import { decodeText } from '../decode-text.ts';
import type { InnerFile, Opened, OpenedText } from '../opened.ts';
import { opened } from '../opened.ts';
import { headerTexts, recipientTexts } from './mail-headers.ts';
import { rtfText } from './open-tnef.ts';
import { readMail } from './read-mail.ts';

/** The package is CommonJS with a default export: what Node calls its default holds the class, what bundlers call so is the class. */
const loaded: unknown = msgReader;
const Reader = (typeof loaded === 'function' ? loaded : msgReader.default) as typeof msgReader.default;

/** Opens a message of Outlook: its transport headers, texts and attachments; messages in it as files of their own. */
export async function openOutlook(bytes: Uint8Array): Promise<Opened> {
  try {
    const reader = new Reader(Uint8Array.from(bytes).buffer);
    const fields = reader.getFileData();
    if (fields.error !== undefined) return opened({ unread: `not a message of Outlook that can be read: ${fields.error}` });
    const files = (fields.attachments ?? []).flatMap((attachment): InnerFile[] => {
      const { fileName, content } = reader.getAttachment(attachment);
      const isMessage = attachment.innerMsgContent === true;
      return [{ name: fileName, type: isMessage ? 'message/x-outlook' : '', charset: '', bytes: content, isAttachment: !isMessage }];
    });
    const { headers } = await readMail(Buffer.from(`${fields.headers ?? ''}\r\n\r\n`));
    const recipients = (fields.recipients ?? []).flatMap(({ email, smtpAddress }) => [email ?? '', smtpAddress ?? '']);
    const texts = [...(headers.length > 0 ? headerTexts(headers) : ownHeaders(fields)), ...bodies(fields)];
    return opened({ texts, files, isMail: true, recipients: [...recipients, ...recipientTexts(headers)] });
  } catch (error) {
    if (error instanceof Error) return opened({ unread: `not a message of Outlook that can be read: ${error.message}` });
    throw error;
  }
}

/** A message that was never sent has no transport headers. */
function ownHeaders(fields: FieldsData): OpenedText[] {
  const named: readonly (readonly [string, string | undefined])[] = [
    ['from', fields.senderSmtpAddress ?? fields.senderEmail],
    ['subject', fields.subject],
  ];
  return named.flatMap(([name, value]) => (value === undefined ? [] : [{ label: `header:${name}`, text: value, isPage: false }]));
}

function bodies({ body, bodyHtml, html, compressedRtf }: FieldsData): OpenedText[] {
  const page = bodyHtml ?? (html === undefined ? '' : decodeText(html));
  const texts = [
    { label: 'text', text: body ?? '', isPage: false },
    { label: 'html', text: page, isPage: true },
    { label: 'text', text: compressedRtf === undefined || page !== '' ? '' : rtfText(compressedRtf), isPage: false },
  ];
  return texts.filter(({ text }) => text !== '');
}
