// src/hosts/sidecar/bodies/: long bodies, which are read in threads of their own.

/** From here on a body is parsed by a thread of its own: at this length parsing still costs the event loop a few milliseconds at most. */
export const LONG_BODY_BYTES = 128 * 1024;

/** A body that was not parsed yet. Its bytes are nobody else's: they move to the thread that reads them. */
export class LongBody {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
}

/** A body that is a file: a mail, a document, an archive. Its bytes move to the thread that opens it. */
export class FileBody {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
}
