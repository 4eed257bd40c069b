/** A text of something that was opened, and what it is called. */
export interface OpenedText {
  /** `text`, `html`, `header:from`; empty for the one text of a file. */
  readonly label: string;
  readonly text: string;
  readonly isPage: boolean;
}

/** A file, attached to a mail, in an archive or on its own. */
export interface InnerFile {
  /** Empty when it has none. */
  readonly name: string;
  /** Media type in lower case, as its sender says; empty when nobody says. */
  readonly type: string;
  readonly charset: string;
  readonly bytes: Uint8Array;
  /** Whether it is a file of its own (hashed), and no text of the mail. */
  readonly isAttachment: boolean;
}

/** What something holds: texts to look into, files to open in turn. */
export interface Opened {
  readonly texts: readonly OpenedText[];
  readonly files: readonly InnerFile[];
  /** Texts with the addresses of those it was sent to. */
  readonly recipients: readonly string[];
  /** Whether it is a mail: what it holds is called by its place in it. */
  readonly isMail: boolean;
  /** Whether it only wraps its files (a mailbox, a signature): what they hold is called as if it stood here. */
  readonly isWrapper: boolean;
  /** Why some of it could not be read; `null` when all of it was. */
  readonly unread: string | null;
}

/** Something that holds only this. */
export function opened(part: Partial<Opened>): Opened {
  return { texts: [], files: [], recipients: [], isMail: false, isWrapper: false, unread: null, ...part };
}
