import { connect, createServer, type Socket } from 'node:net';

/** Kinds of requests that tests look for: https://kafka.apache.org/protocol#protocol_api_keys */
export const REQUESTS = { produce: 0, offsetCommit: 8 } as const;

/** What becomes of a request: it goes on; the connection is cut before it; it goes on, and nothing that the broker says comes back. */
export type Fate = 'pass' | 'cut' | 'unanswered';

/** Stands between one worker and the broker. */
export interface KafkaRelay extends AsyncDisposable {
  readonly brokers: string;
  /** Decides about each request by its kind. */
  rule: (kind: number) => Fate;
  /** Resolves when the broker has answered a request that is `unanswered`. */
  readonly dropped: Promise<void>;
}

/** Opens a relay that passes all on until it is given another rule. */
export async function startKafkaRelay({ port, to }: { readonly port: number; readonly to: number }): Promise<KafkaRelay> {
  const sockets = new Set<Socket>();
  const { promise: dropped, resolve: drop } = Promise.withResolvers<void>();
  const relay: KafkaRelay = {
    dropped,
    brokers: `127.0.0.1:${port}`,
    rule: () => 'pass',
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const server = createServer((client) => {
    const broker = connect(to, '127.0.0.1');
    let isUnanswered = false;
    const cut = () => [client, broker].forEach((socket) => socket.destroy());
    for (const socket of [client, broker]) {
      sockets.add(socket);
      // A connection that fails is closed, on both sides.
      socket.on('error', cut).on('close', () => (cut(), sockets.delete(socket)));
    }
    broker.on('data', (bytes) => void (isUnanswered ? drop() : client.write(bytes)));
    const take = framesOf((frame) => {
      const fate = relay.rule(frame.readInt16BE(4));
      if (fate === 'cut') return cut();
      if (fate === 'unanswered') isUnanswered = true;
      broker.write(frame);
    });
    client.on('data', take);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return relay;
}

/** Cuts what arrives into requests: four bytes of length, then as many bytes. */
function framesOf(take: (frame: Buffer) => void): (bytes: Buffer) => void {
  let held: Buffer = Buffer.alloc(0);
  return (bytes) => {
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    while (held.length >= 4 && held.length >= 4 + held.readInt32BE(0)) {
      const length = 4 + held.readInt32BE(0);
      take(held.subarray(0, length));
      held = held.subarray(length);
    }
  };
}
