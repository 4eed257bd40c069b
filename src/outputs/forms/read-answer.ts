import type { OutputAnswer, OutputItem, OutputResult } from '../output.ts';

const MAX_REASON_CHARS = 300;

/** What a status alone tells; `null`: a 2xx, the output reads on. */
export function failureOf(answer: OutputAnswer, items: readonly OutputItem[], nowS: number): OutputResult<never> | null {
  const { status } = answer;
  if (status >= 200 && status < 300) return null;
  const reason = `HTTP ${status}${detailOf(answer.body)}`;
  if (status === 401 || status === 403) return { halt: `${reason}: check its key and the rights of the key` };
  if (status === 404 || status === 405 || (status >= 300 && status < 400)) return { halt: `${reason}: check its address` };
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const retryAfterMs = retryAfterOf(answer, nowS);
    return { ...retryAll(items, reason), ...(retryAfterMs === null ? {} : { retryAfterMs }) };
  }
  return { split: reason };
}

/** All of them are tried again. */
export function retryAll(items: readonly OutputItem[], reason: string): OutputResult<never> {
  return { retryable: items.map((item) => ({ item, reason })) };
}

/** `Retry-After` (RFC 9110: seconds or a date), or "Try again in N seconds" in the body as Azure says it; milliseconds, `null`: not said. */
export function retryAfterOf(answer: OutputAnswer, nowS: number): number | null {
  const header = answer.headers['retry-after']?.trim();
  const said = /try again in (\d+) seconds?/i.exec(textOf(answer.body))?.[1];
  if (header !== undefined && /^\d+$/.test(header)) return Number(header) * 1000;
  if (header !== undefined && !Number.isNaN(Date.parse(header))) return Math.max(0, Date.parse(header) - nowS * 1000);
  return said === undefined ? null : Number(said) * 1000;
}

/** A few words of a refusal, for people: `: <message>`; never a page of HTML. */
export function detailOf(body: unknown): string {
  const text = textOf(body).replace(/\s+/g, ' ').trim();
  return text === '' || text.startsWith('<') ? '' : `: ${text.slice(0, MAX_REASON_CHARS)}`;
}

function textOf(body: unknown): string {
  if (body === null || body === undefined) return '';
  return typeof body === 'string' ? body : (JSON.stringify(body) ?? '');
}
