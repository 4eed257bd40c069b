/** One event of a stream (HTML Living Standard, 9.2 Server-sent events). */
export interface StreamEvent {
  /** `null`: it has none. */
  readonly id: string | null;
  readonly type: string;
  readonly data: string;
}

/** What a part of a stream holds. */
export interface StreamPart {
  readonly events: readonly StreamEvent[];
  /** The beginning of an event whose end did not come; empty: there is none. */
  readonly rest: string;
}

/** Reads whole events; comments, and blocks without data, are no events. */
export function readEvents(text: string): StreamPart {
  const blocks = text.replaceAll(/\r\n?/g, '\n').split('\n\n');
  const rest = blocks.pop() ?? '';
  return { events: blocks.map(readBlock).filter(({ data }) => data !== ''), rest: rest.trim() };
}

/** The id of an event of which only the beginning came; `null`: it is not in it. */
export function idOf(block: string): string | null {
  return readBlock(block).id;
}

function readBlock(block: string): StreamEvent {
  const data: string[] = [];
  let id: string | null = null;
  let type = 'message';
  for (const line of block.split('\n')) {
    const [, name = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === 'id') id = value;
    else if (name === 'event') type = value;
    else if (name === 'data') data.push(value);
  }
  return { id, type, data: data.join('\n') };
}
