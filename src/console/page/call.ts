import { errorMessage } from '../../model/formats/error-message.ts';
import { readToken } from './session.ts';

/** A call that the sidecar refused, or that did not reach it. `status` 0: no answer at all. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly status: number;
  readonly code: string;

  constructor(message: string, status: number, code: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** What a call may bring along. */
export interface CallOptions {
  readonly method?: string;
  /** Sent as JSON; bytes are sent as they are. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** Calls the sidecar and gives the text of its answer. Paths are relative, so that the page also works below a prefix. */
export async function callText(path: string, { method, body, signal }: CallOptions = {}): Promise<string> {
  const token = readToken();
  const headers: Record<string, string> = {};
  if (token !== '') headers['authorization'] = `Bearer ${token}`;
  if (body !== undefined) headers['content-type'] = body instanceof Uint8Array ? 'application/octet-stream' : 'application/json';
  const init: RequestInit = { method: method ?? (body === undefined ? 'GET' : 'POST'), headers, cache: 'no-store' };
  if (body !== undefined) init.body = body instanceof Uint8Array ? new Blob([body as Uint8Array<ArrayBuffer>]) : JSON.stringify(body);
  if (signal) init.signal = signal;
  const answer = await fetch(path, init).catch((error: unknown) => {
    if (signal?.aborted === true) throw error;
    throw new CallError('The sidecar gives no answer. Is it running?', 0, 'unreachable');
  });
  const text = await answer.text();
  if (!answer.ok) throw refusalOf(answer.status, text);
  return text;
}

/** The same for answers in JSON. */
export async function callJson<T>(path: string, options: CallOptions = {}): Promise<T> {
  const text = await callText(path, options);
  return (text === '' ? null : JSON.parse(text)) as T;
}

/** What to tell people about a call that failed. */
export function wordsFor(error: unknown): string {
  if (error instanceof CallError && error.status === 401)
    return 'This sidecar needs a token, or the one entered is wrong. Enter it in the Token field at the top.';
  return errorMessage(error);
}

function refusalOf(status: number, text: string): CallError {
  const { code = '', message = '' } = errorIn(text);
  return new CallError(message === '' ? `The sidecar answered HTTP ${status}.` : message, status, code);
}

function errorIn(text: string): { readonly code?: string; readonly message?: string } {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: string; message?: string } };
    return typeof error === 'object' ? error : {};
  } catch {
    // Not ours: a proxy in between speaks HTML.
    return {};
  }
}
