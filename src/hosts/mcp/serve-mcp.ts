import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { openAssistant } from '../../assistant/open-assistant.ts';
import type { AssistantEnd, AssistantStart } from '../../assistant/assistant-start.ts';
import { isLoopback } from '../../compose/door/loopback.ts';
import { readListenerTls } from '../../compose/sidecar-access/listener-tls.ts';
import { openTokens, type Tokens } from '../../compose/sidecar-access/open-tokens.ts';
import { SidecarSettings } from '../../compose/sidecar-settings.ts';
import { errorMessage } from '../../model/formats/error-message.ts';
import { inertText } from '../../model/formats/inert-text.ts';
import { createMcpHttpServer } from './http-sessions.ts';
import { createMcpSession, type Serving } from './mcp-session.ts';

const ENDED: AssistantEnd = { fault: null, isMisused: false };

/** Serves MCP until it is told to stop, or until standard input ends. */
export async function serveMcp(start: AssistantStart): Promise<AssistantEnd> {
  // Standard output is the protocol's: every word for people goes to standard error.
  const log = (line: string) => void start.stderr.write(`${new Date().toISOString()} ${inertText(line)}\n`);
  const { env, configPath, profile, http } = start;
  const opened = await openAssistant({ env, configPath, profile, stays: true, onFault: log, blocks: { sidecar: SidecarSettings } });
  const { assistant, config } = opened;
  try {
    for (const warning of assistant.warnings) start.stderr.write(`warning: ${inertText(warning)}\n`);
    const serving: Serving = { assistant, limits: start, version: start.version, log };
    if (http === undefined) {
      await serveStdio(serving, start);
      return ENDED;
    }
    const settings = config.blocks.sidecar?.values as unknown as SidecarSettings;
    return await serveBehindTokens(serving, start, settings, http);
  } finally {
    await opened.close();
  }
}

async function serveStdio(serving: Serving, { stdin, stdout }: AssistantStart): Promise<void> {
  const session = createMcpSession(serving);
  await session.connect(new StdioServerTransport(stdin as Readable, stdout as Writable));
  await Promise.race([once(stdin, 'end'), once(stdin, 'close'), stopSignal()]);
  await session.close();
}

type Address = NonNullable<AssistantStart['http']>;

/** The tokens of the sidecar open this server as well. */
async function serveBehindTokens(serving: Serving, start: AssistantStart, settings: SidecarSettings, http: Address): Promise<AssistantEnd> {
  let tokens: Tokens;
  try {
    tokens = openTokens(settings, serving.log);
  } catch (error) {
    return { fault: errorMessage(error), isMisused: true };
  }
  try {
    if (!isLoopback(http.host) && !tokens.areWanted)
      return {
        fault: `--host ${http.host} is an address that others can reach: set sidecar.token (ISMALICIOUS_SIDECAR_TOKEN), or listen on 127.0.0.1`,
        isMisused: true,
      };
    return await serveHttp(serving, start, { ...settings, tokens }, http);
  } finally {
    tokens.close();
  }
}

async function serveHttp(
  serving: Serving,
  { stdout, stderr }: AssistantStart,
  settings: Omit<SidecarSettings, 'tokens'> & { readonly tokens: Tokens },
  { host, port }: Address,
): Promise<AssistantEnd> {
  // A socket is the sidecar's own: what is served here has host and port.
  const tls = readListenerTls({ ...settings, socket: undefined });
  for (const doubt of tls?.doubts() ?? []) stderr.write(`warning: ${doubt}\n`);
  const server = createMcpHttpServer(serving, { ...settings, tls });
  const bare = host.replace(/^\[|\]$/g, '');
  const fault = await listen(server, bare, port);
  if (fault !== null) {
    tls?.close();
    return { fault, isMisused: false };
  }
  const { port: listening } = server.address() as AddressInfo;
  stdout.write(`listening ${listening}\n`);
  stderr.write(
    `isMalicious MCP server on ${tls === null ? 'http' : 'https'}://${bare.includes(':') ? `[${bare}]` : bare}:${listening}/mcp\n`,
  );
  await stopSignal();
  server.close();
  server.closeAllConnections();
  return ENDED;
}

async function listen(server: ReturnType<typeof createMcpHttpServer>, host: string, port: number): Promise<string | null> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
    return null;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    const remedy = code === 'EADDRINUSE' ? 'another program listens there: choose another --port' : 'choose another --host or --port';
    return `cannot listen on ${host} port ${port} (${code}): ${remedy}`;
  }
}

/** Resolves at SIGTERM or SIGINT. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}
