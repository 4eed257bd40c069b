import type { IncomingMessage } from 'node:http';
import * as z from 'zod/mini';
import type { Upstream } from './upstream.ts';

/** What the engine said about one document. */
export interface DocumentAnswer {
  readonly status: number;
  /** Whether it is not in its index but, refused, in the failure store of its data stream: the engine says 201 of that too. */
  readonly isInFailureStore: boolean;
  readonly type: string;
  readonly reason: string;
}

/** What the engine said about a bulk request: about each document, in order; or about the request as a whole. */
export type BulkAnswer = { readonly items: readonly DocumentAnswer[] } | { readonly status: number };

const Item = z.object({
  status: z.int(),
  failure_store: z.optional(z.nullable(z.string())),
  error: z.optional(z.object({ type: z.optional(z.nullable(z.string())), reason: z.optional(z.nullable(z.string())) })),
});
const Answer = z.object({ items: z.array(z.object({ create: Item })) });

/** Longest answer that is read: that to the longest body has some hundred bytes a document. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** Elasticsearch 7.10 repeats the headers of a request that it cannot read, credentials and all. */
const HOLDS_HEADERS = /authorization|api[-_]?key|cookie/i;

/**
 * Sends documents to be created in an index, and gives what was said of them. Status 0: nobody answered, or what nobody can read; so it is
 * when `signal` aborts, which ends the request.
 */
export function exchangeBulk(
  upstream: Upstream,
  request: { path: string; headers: readonly string[]; body: readonly Buffer[]; signal: AbortSignal },
): Promise<BulkAnswer> {
  const { path, headers, body, signal } = request;
  const length = body.reduce((sum, part) => sum + part.length, 0);
  const framing = ['content-type', 'application/x-ndjson', 'content-length', String(length)];
  return new Promise((resolve) => {
    const out = upstream.request('POST', path, [...headers, ...framing]);
    const leave = () => void out.destroy(new Error('the caller went away'));
    signal.addEventListener('abort', leave, { once: true });
    out.once('close', () => signal.removeEventListener('abort', leave));
    out.on('error', () => resolve({ status: 0 }));
    out.once('response', (answer) => {
      readAnswer(answer).then(resolve, () => resolve({ status: 0 }));
    });
    if (signal.aborted) return leave();
    for (const part of body) out.write(part);
    out.end();
    return undefined;
  });
}

async function readAnswer(answer: IncomingMessage): Promise<BulkAnswer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_ANSWER_BYTES) throw new Error('the answer is too long');
    parts.push(part);
  }
  const status = answer.statusCode ?? 0;
  if (status < 200 || status > 299) return { status };
  const { items } = Answer.parse(JSON.parse(Buffer.concat(parts).toString('utf8')));
  return {
    items: items.map(({ create }) => ({
      status: create.status,
      isInFailureStore: create.failure_store === 'used',
      type: create.error?.type ?? '',
      reason: wordsOf(create.error?.reason),
    })),
  };
}

function wordsOf(reason: string | null | undefined): string {
  const [line = ''] = (reason ?? '').split('\n', 1);
  return HOLDS_HEADERS.test(line) ? '' : line.slice(0, 500);
}
