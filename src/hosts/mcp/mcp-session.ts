// src/hosts/mcp/: the Model Context Protocol, spoken by its own library, in front of the tools of `src/assistant/`.
import { errorMessage } from '../../model/formats/error-message.ts';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { type Assistant, beginSession, type Session, type SessionLimits, ToolRefusal } from '../../assistant/assistant.ts';
import { inertData } from '../../assistant/inert-data.ts';
import { RESOURCES } from '../../assistant/resources.ts';
import { INSTRUCTIONS, type Tool, toolsFor } from '../../assistant/tools.ts';

/** What every session of a server has in common. */
export interface Serving {
  readonly assistant: Assistant;
  readonly limits: SessionLimits;
  readonly version: string;
  /** A fault that nobody is to blame for. */
  readonly log: (line: string) => void;
}

/** A server for one session, with a budget of its own. */
export function createMcpSession({ assistant, limits, version, log }: Serving): McpServer {
  const server = new McpServer({ name: 'ismalicious', title: 'isMalicious', version }, { instructions: INSTRUCTIONS });
  const session = beginSession(limits, () => server.server.getClientVersion()?.name ?? 'unnamed');
  for (const tool of toolsFor(limits)) {
    server.registerTool(
      tool.name,
      {
        title: tool.title,
        description: tool.description,
        inputSchema: tool.takes,
        outputSchema: tool.gives,
        annotations: {
          title: tool.title,
          readOnlyHint: tool.isReadOnly,
          destructiveHint: !tool.isReadOnly,
          idempotentHint: true,
          openWorldHint: tool.asksOthers,
        },
      },
      (args: unknown, { signal }: { readonly signal: AbortSignal }) => callTool(tool, args, { assistant, session, signal, log }),
    );
  }
  for (const { name, uri, title, description, read } of RESOURCES)
    server.registerResource(name, uri, { title, description, mimeType: 'application/json' }, () => ({
      contents: [{ uri, mimeType: 'application/json', text: JSON.stringify(read(assistant)) }],
    }));
  return server;
}

interface Calling {
  readonly assistant: Assistant;
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

async function callTool(tool: Tool, args: unknown, { assistant, session, signal, log }: Calling): Promise<CallToolResult> {
  if (session.callsLeft <= 0)
    return failed(
      'The calls of this session are used up; nothing was looked up, so nothing is known, which is not clean. A person can raise --max-calls.',
    );
  session.callsLeft -= 1;
  try {
    const { text, structured } = await tool.run(assistant, { args, session, signal });
    return { content: [{ type: 'text', text }], structuredContent: { ...structured } };
  } catch (error) {
    if (error instanceof ToolRefusal) return failed(error.message);
    if (signal.aborted) return failed('The call was taken back; nothing is known from it.');
    log(`${tool.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return failed(`${tool.name} FAILED: ${inertData(errorMessage(error))}. Nothing is known, which is not clean.`);
  }
}

function failed(text: string): CallToolResult {
  return { isError: true, content: [{ type: 'text', text }] };
}
