import type { SidecarSettings } from '../compose/sidecar-settings.ts';
import type { SessionLimits } from './assistant.ts';

/** What an MCP server is started with. What is set here goes before the settings. */
export interface AssistantStart extends SessionLimits {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly configPath: string | undefined;
  readonly profile: string | undefined;
  /** Where HTTP is spoken; left out: standard input and output are. */
  readonly http?: Pick<SidecarSettings, 'host' | 'port'>;
  readonly version: string;
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

/** How it ended. */
export interface AssistantEnd {
  /** Why it could not start, and what to do; `null`: it could. */
  readonly fault: string | null;
  /** Whether what was set is at fault. */
  readonly isMisused: boolean;
}
