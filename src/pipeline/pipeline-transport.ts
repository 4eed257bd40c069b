import type { HttpAnswer, HttpCall } from '../providers/provider.ts';

/** A call as it goes over the wire: feeds' calls as they are, outputs' also with other methods and packed bodies. */
export interface WireCall extends Omit<HttpCall, 'method' | 'body'> {
  readonly method?: HttpCall['method'] | 'PATCH' | undefined;
  readonly body?: string | Uint8Array | undefined;
}

/** Bounds of one call. */
export interface WireOptions {
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

/** Makes calls. Rejects with a coded `LookupError` when no whole answer came; any status is an answer. */
export interface PipelineTransport {
  send(call: WireCall, options: WireOptions): Promise<HttpAnswer>;
}
