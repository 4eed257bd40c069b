// src/hosts/cli/commands/connect/: commands for what stands beside us: assistants, and tools that users come from.
import { type Command, EXIT, parseCount, UsageError } from '../../command.ts';
import { parseOptions } from '../../parse-options.ts';
import { mcpSynopsis } from '../../synopses/connect.ts';
import { VERSION } from '../../version.ts';

const MAX_CALLS = 500;
const MAX_CREDITS = 100;
const PORT = 8788;
const HIGHEST_PORT = 65_535;

/** `ismalicious mcp` */
export const mcp: Command = {
  synopsis: mcpSynopsis,
  async run(args, io) {
    const { values } = parseOptions(args, mcpSynopsis);
    if (!values.http && (values.host !== undefined || values.port !== undefined))
      throw new UsageError('--host and --port belong to --http: without it standard input and output are used.');
    const port = values.port === undefined ? PORT : parseCount(values.port, '--port');
    if (port > HIGHEST_PORT) throw new UsageError(`--port has to be a whole number from 0 to ${HIGHEST_PORT}.`);
    if (io.startMcp === undefined) throw new Error('there is no MCP server in this program');
    const { fault, isMisused } = await io.startMcp({
      env: io.env,
      configPath: values.config,
      profile: values.profile,
      maxCalls: values['max-calls'] === undefined ? MAX_CALLS : parseCount(values['max-calls'], '--max-calls', 1),
      maxCredits: values['max-credits'] === undefined ? MAX_CREDITS : parseCount(values['max-credits'], '--max-credits'),
      allowsFeedback: values['allow-feedback'] === true,
      ...(values.http ? { http: { host: values.host ?? '127.0.0.1', port } } : {}),
      version: VERSION,
      stdin: io.stdin,
      stdout: io.stdout,
      stderr: io.stderr,
    });
    if (fault !== null) throw isMisused ? new UsageError(fault) : new Error(fault);
    return EXIT.ok;
  },
};
