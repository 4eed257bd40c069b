import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterEach, describe, expect, it } from 'vitest';
import { openAssistant } from '../../../src/assistant/open-assistant.ts';
import { openTokens, type TokenSettings } from '../../../src/compose/sidecar-access/open-tokens.ts';
import { createMcpHttpServer } from '../../../src/hosts/mcp/http-sessions.ts';
import { newStateFolder } from '../../support/open-test-engine.ts';

const [READER, ASKER, WRITER] = ['a-token-that-reads', 'a-token-that-asks-0', 'a-token-that-writes'];
const SCOPED = `read ${READER}; read,enrich ${ASKER}; enrich,write ${WRITER}`;

const opened: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const end of opened.splice(0).toReversed()) await end();
});

async function serve(settings: TokenSettings, allowsFeedback = true): Promise<URL> {
  const env = { ISMALICIOUS_STATE_DIR: newStateFolder() };
  const { assistant, close } = await openAssistant({ env, stays: true, onFault: () => {}, blocks: {} });
  const tokens = openTokens(settings, () => {});
  const limits = { allowsFeedback, maxCalls: 9, budget: 9 } as never;
  const door = { tokens, tls: null, allowedHosts: [], maxSmallBodyBytes: 1 << 20, requestTimeoutMs: 30_000 };
  const server = createMcpHttpServer({ assistant, limits, version: '1.0.0', log: () => {} }, door).listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push(
    close,
    () => tokens.close(),
    () => {
      server.close();
      server.closeAllConnections();
    },
  );
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
}

async function connect(url: URL, token: string, sessionId?: string) {
  const client = new Client({ name: 'contract-test', version: '1.0.0' });
  const transport = new StreamableHTTPClientTransport(url, {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
    ...(sessionId && { sessionId }),
  });
  await client.connect(transport as never);
  opened.push(() => client.close());
  return { client, transport };
}

const toolsOf = async (client: Client) => (await client.listTools()).tools.map(({ name }) => name);

describe('ismalicious mcp --http with tokens that have scopes', () => {
  it('lets look up who may look up, and overrule who may write; nobody else', async () => {
    const url = await serve({ tokens: SCOPED });
    await expect(connect(url, READER)).rejects.toThrow('scope enrich');
    await expect(connect(url, 'a-token-of-nobody-at-all')).rejects.toThrow('wants its token');
    const [asker, writer] = [await toolsOf((await connect(url, ASKER)).client), await toolsOf((await connect(url, WRITER)).client)];
    expect([asker.includes('check'), asker.includes('overrule')]).toEqual([true, false]);
    expect([writer.includes('check'), writer.includes('overrule')]).toEqual([true, true]);
  });

  it('does not lend the session of one who may write to one who may not', async () => {
    const url = await serve({ tokens: SCOPED });
    const { transport } = await connect(url, WRITER);
    const call = (token: string) =>
      fetch(url, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-session-id': transport.sessionId ?? '',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/list' }),
      });
    expect([(await call(WRITER)).status, (await call(ASKER)).status]).toEqual([200, 403]);
  });

  it('gives nobody what --allow-feedback did not allow', async () => {
    const { client } = await connect(await serve({ tokens: SCOPED }, false), WRITER);
    expect(await toolsOf(client)).not.toContain('overrule');
  });

  it('takes the tokens of a file, and the one token that may do everything', async () => {
    const tokensFile = join(newStateFolder(), 'tokens');
    writeFileSync(tokensFile, `enrich ${ASKER}\n`);
    const url = await serve({ token: WRITER, tokensFile });
    expect(await toolsOf((await connect(url, ASKER)).client)).not.toContain('overrule');
    expect(await toolsOf((await connect(url, WRITER)).client)).toContain('overrule');
  });
});
