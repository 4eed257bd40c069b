import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { createServer } from 'node:tls';

/** What ends TLS before a server that speaks none: it takes connections by TLS, and passes on what they say. */
export interface TlsFront extends AsyncDisposable {
  readonly port: number;
}

/** Starts one on a free port of `host`, an address of the loopback, before `port`. */
export async function startTlsFront(
  port: number,
  { key, cert, host }: { readonly key: string; readonly cert: string; readonly host: string },
): Promise<TlsFront> {
  const open = new Set<Socket>();
  const server = createServer({ key, cert }, (socket) => {
    const behind = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [socket, behind],
      [behind, socket],
    ] as const) {
      open.add(one);
      // However one side ends, the other one does.
      one.on('error', () => other.destroy()).on('close', () => open.delete(one) && other.destroy());
      one.pipe(other);
    }
  }).listen(0, host);
  // A caller that does not trust us goes before the handshake is over.
  server.on('tlsClientError', () => undefined);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
