import { bodyOf, readBytes } from './body.ts';
import { refuseInnerAddress } from './inner-addresses.ts';
import { ignoreTlsSwitch } from './tls-switch.ts';
import { type HttpTransport, MAX_ANSWER_BYTES } from './transport.ts';
import { withDeadline } from './undici-transport.ts';

const NO_BODY = Buffer.alloc(0);

/**
 * The second transport, over global fetch: for Node before 22.19, where undici 8 does not load. It knows no proxy and no CA
 * file (Node's own NODE_EXTRA_CA_CERTS works). It is also what msw intercepts in tests.
 */
export function createFetchTransport(provider: string): HttpTransport {
  // fetch takes no word of ours on certificates: what would switch their check off has to go.
  ignoreTlsSwitch();
  return {
    send: (call, options) =>
      withDeadline(provider, options, async (signal) => {
        refuseInnerAddress(provider, call.url);
        const response = await fetch(call.url, {
          signal,
          redirect: 'manual',
          method: call.method ?? 'GET',
          headers: { accept: 'application/json', 'accept-encoding': 'identity', ...call.headers },
          ...(call.body === undefined ? {} : { body: call.body }),
        });
        // fetch decodes a body as it comes, whatever content-encoding says: what is counted is what it decodes to.
        const bytes = response.body === null ? NO_BODY : await readAnswer(provider, response, options.maxBytes ?? MAX_ANSWER_BYTES);
        return {
          status: response.status,
          headers: Object.fromEntries(response.headers),
          body: bodyOf(provider, response.status, { bytes, saidOnce: call.saidOnce }),
        };
      }),
    close: () => Promise.resolve(),
  };
}

/** All of the body; nothing of a refusal whose body is not what its headers say: its status says enough. */
async function readAnswer(provider: string, response: Response, maxBytes: number): Promise<Buffer> {
  try {
    return await readBytes(provider, response.body as AsyncIterable<Uint8Array>, maxBytes);
  } catch (error) {
    const isCoded = response.headers.has('content-encoding');
    if (response.ok || !isCoded || !(error instanceof TypeError)) throw error;
    return NO_BODY;
  }
}
