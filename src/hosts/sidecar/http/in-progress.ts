import type { ServerResponse } from 'node:http';

/** Where a call stands in the chain of those in progress, and what is measured of it. */
interface Link {
  readonly res: ServerResponse | null;
  readonly label: string;
  readonly startMs: number;
  before: Link;
  behind: Link;
}

const LINK = Symbol('in progress');

interface Tracked extends ServerResponse {
  [LINK]?: Link;
}

/** The calls that are being answered. */
export interface InProgress {
  /** Notes a call until its answer is out or its caller gone. `label`: its route, for the metrics. */
  add(res: ServerResponse, label: string, startMs: number): void;
  /** Has every answer that has not begun yet end its connection. */
  closeConnections(): void;
  /** Their answers. */
  answers(): Iterable<ServerResponse>;
}

/** None yet. `done` is called for each at its end. A chain through the calls themselves: a warm call costs one object and no closure. */
export function createInProgress(done: (res: ServerResponse, label: string, startMs: number) => void): InProgress {
  const root = { res: null, label: '', startMs: 0 } as unknown as Link;
  root.before = root.behind = root;

  function atEnd(this: ServerResponse): void {
    const link = (this as Tracked)[LINK];
    if (link === undefined) return;
    link.before.behind = link.behind;
    link.behind.before = link.before;
    done(this, link.label, link.startMs);
  }

  return {
    add(res, label, startMs) {
      const link: Link = { res, label, startMs, before: root, behind: root.behind };
      root.behind.before = link;
      root.behind = link;
      (res as Tracked)[LINK] = link;
      res.on('close', atEnd);
    },
    closeConnections() {
      for (let link = root.behind; link !== root; link = link.behind) {
        if (link.res?.headersSent === false) link.res.setHeader('connection', 'close');
      }
    },
    *answers() {
      for (let link = root.behind; link !== root; link = link.behind) if (link.res !== null) yield link.res;
    },
  };
}
