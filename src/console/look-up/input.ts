/** Most files and bytes that are read at once; the rest is refused with a word. */
const MOST_FILES = 200;
const MOST_BYTES = 64_000_000;

/** Something to read: a text, or the bytes of a file that is none. */
export interface Input {
  readonly name: string;
  /** Characters, or bytes of a file that is no text. */
  readonly size: number;
  /** `null`: the sidecar has to open it. */
  readonly text: string | null;
  readonly bytes: Uint8Array | null;
}

/** A text as an input. */
export function textInput(name: string, text: string): Input {
  return { name, size: text.length, text, bytes: null };
}

/** Reads files that were dropped or chosen; `refused`: why some are left out. */
export async function readFiles(files: readonly File[]): Promise<{ readonly inputs: Input[]; readonly refused: string | null }> {
  const inputs: Input[] = [];
  let left = MOST_BYTES;
  for (const file of files.slice(0, MOST_FILES)) {
    left -= file.size;
    if (left < 0)
      return { inputs, refused: `Only ${MOST_BYTES / 1_000_000} MB are read at once: ${file.name} and what follows is left out.` };
    inputs.push(inputOf(file.name, new Uint8Array(await file.arrayBuffer())));
  }
  const refused = files.length > MOST_FILES ? `Only ${MOST_FILES} files are read at once: the rest is left out.` : null;
  return { inputs, refused };
}

/** A file is read as the text that it is, or opened by the sidecar: mails, documents, archives. */
export function inputOf(name: string, bytes: Uint8Array): Input {
  const coding = codingOf(bytes);
  if (coding === null || isMail(name, bytes)) return { name, size: bytes.length, text: null, bytes };
  return textInput(name, new TextDecoder(coding).decode(bytes));
}

function codingOf(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const isPdf = bytes[0] === 0x25 && bytes[1] === 0x50 && bytes[2] === 0x44 && bytes[3] === 0x46;
  return isPdf || isBinary(bytes.subarray(0, SAMPLE_BYTES)) ? null : 'utf-8';
}

/** Bytes by which a file is told from a text, and how many of them may be control characters: more than any text has. */
const SAMPLE_BYTES = 4096;
const MOST_CONTROLS = 0.1;

function isBinary(sample: Uint8Array): boolean {
  const controls = sample.filter((byte) => byte < 0x20 && !(byte >= 0x08 && byte <= 0x0d) && byte !== 0x1b).length;
  // An archive begins with its signature, whatever follows.
  return controls > sample.length * MOST_CONTROLS || (sample[0] === 0x50 && sample[1] === 0x4b && (sample[2] ?? 99) < 8);
}

function isMail(name: string, bytes: Uint8Array): boolean {
  if (/\.(?:eml|mbox|msg|html?|rtf|ics|vcf)$/i.test(name)) return true;
  const head = new TextDecoder().decode(bytes.subarray(0, 2048));
  return /^(?:received|return-path|delivered-to|from|mime-version|message-id): /im.test(head) && /^(?:subject|to|date): /im.test(head);
}
