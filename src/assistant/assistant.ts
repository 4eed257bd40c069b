import type { EngineHealth } from '../compose/open-engine.ts';
import type { Enricher } from '../engine/enricher.ts';
import type { EngineStats } from '../engine/engine.ts';
import type { FeedbackStore } from '../engine/feedback/overrides.ts';
import type { Store } from '../store/store-client.ts';

/** What the tools work with; a session has a budget of its own besides. */
export interface Assistant {
  readonly enricher: Enricher;
  readonly stats: () => EngineStats;
  readonly health: () => EngineHealth;
  /** What was said when the settings were read. */
  readonly warnings: readonly string[];
  /** Said with answers when no provider has a key; `null`: one has. */
  readonly note: string | null;
  readonly feedback: FeedbackStore;
  /** The store with the sighting index; `null`: there is none yet. */
  store(): Promise<Store | null>;
  readonly lookBackDays: number;
  readonly nowS: () => number;
}

/** What one session may spend, and what it may do. */
export interface SessionLimits {
  /** Calls of tools. */
  readonly maxCalls: number;
  /** Credits of paid look-ups. */
  readonly maxCredits: number;
  /** Whether verdicts may be overruled. */
  readonly allowsFeedback: boolean;
}

/** One conversation with an assistant. */
export interface Session {
  /** Counted down by the engine. */
  readonly budget: { remaining: number };
  callsLeft: number;
  /** Who asks, as the client calls itself. */
  clientName(): string;
}

/** Begins a session. */
export function beginSession({ maxCalls, maxCredits }: SessionLimits, clientName: () => string): Session {
  return { budget: { remaining: maxCredits }, callsLeft: maxCalls, clientName };
}

/** A call of a tool as the protocol hands it over. */
export interface ToolCall<Args> {
  readonly args: Args;
  readonly session: Session;
  /** Aborts when the client takes the call back. */
  readonly signal: AbortSignal;
}

/** What a tool answers: the same for people (text) and for programs (structured). */
export interface ToolAnswer {
  readonly text: string;
  readonly structured: Readonly<Record<string, unknown>>;
}

/** A tool cannot do what it was asked: said to the assistant as an error, in words for it. */
export class ToolRefusal extends Error {
  override readonly name = 'ToolRefusal';
}
