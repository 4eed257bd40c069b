import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';

/** A request as it came out of the gateway. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingMessage['headers'];
  /** Inflated. */
  readonly body: string;
}

/** An engine that is none: it notes what it is asked and answers what it is told to. */
export interface UpstreamStandIn {
  readonly url: string;
  readonly seen: SeenRequest[];
}

/** Starts a stand-in; `answer` may be given to do anything with a request once its body is there. It ends with the test. */
export async function startUpstream(answer: (req: SeenRequest, res: ServerResponse) => void = answerBulk): Promise<UpstreamStandIn> {
  const { close, ...standIn } = await startUpstreamUntil(answer);
  onTestFinished(close);
  return standIn;
}

/** The same for several tests: it ends when it is closed. */
export async function startUpstreamUntil(
  answer: (req: SeenRequest, res: ServerResponse) => void,
): Promise<UpstreamStandIn & { close(): void }> {
  const seen: SeenRequest[] = [];
  const server = createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('error', () => undefined);
    req.on('end', () => {
      const raw = Buffer.concat(parts);
      const body = (req.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString();
      const request = { method: req.method ?? '', url: req.url ?? '', rawHeaders: req.rawHeaders, headers: req.headers, body };
      seen.push(request);
      answer(request, res);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Answers a bulk request as the engine would: an item for each action. */
export function answerBulk({ body }: Pick<SeenRequest, 'body'>, res: ServerResponse): void {
  const items: object[] = [];
  const lines = body.split('\n');
  for (let n = 0; n < lines.length; n++) {
    if (lines[n]?.trim() === '') continue;
    const [action = ''] = Object.keys(JSON.parse(lines[n]!) as object);
    items.push({ [action]: { status: 201 } });
    if (action !== 'delete') n++;
  }
  res.writeHead(200, { 'content-type': 'application/json', 'X-Elastic-Product': 'Elasticsearch' });
  res.end(JSON.stringify({ errors: false, items }));
}
