import { LookupError } from '../../model/lookup-error.ts';
import { decodeBody } from './body.ts';
import { type HttpTransport, MAX_ANSWER_BYTES } from './transport.ts';
import { withDeadline } from './undici-transport.ts';

/**
 * The second transport, over global fetch: for Node before 22.19, where undici 8 does not load. It knows no proxy and no CA
 * file (Node's own NODE_EXTRA_CA_CERTS works). It is also what msw intercepts in tests.
 */
export function createFetchTransport(provider: string): HttpTransport {
  return {
    send: (call, options) =>
      withDeadline(provider, options, async (signal) => {
        const response = await fetch(call.url, {
          signal,
          redirect: 'manual',
          method: call.method ?? 'GET',
          headers: { accept: 'application/json', 'accept-encoding': 'identity', ...call.headers },
          ...(call.body === undefined ? {} : { body: call.body }),
        });
        const bytes = Buffer.from(await response.arrayBuffer());
        const maxBytes = options.maxBytes ?? MAX_ANSWER_BYTES;
        if (bytes.length > maxBytes) throw new LookupError('bad_response', provider, `answer larger than ${maxBytes} bytes`);
        // fetch has already decoded the body whatever content-encoding says.
        return { status: response.status, headers: Object.fromEntries(response.headers), body: decodeBody(provider, bytes, undefined) };
      }),
    close: () => Promise.resolve(),
  };
}
