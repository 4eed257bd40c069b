import http from 'node:http';
import { type LogstashEvent, addTag, setField, sprintf } from './logstash-event.ts';
import type { Plugin, Value } from './logstash-config.ts';

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/**
 * The http filter as it was seen in Logstash 9.3: one call an event; values of a body hash are text; only 2xx counts, only
 * application/json is parsed, everything else leaves a tag and nothing more. `true`: the filter's own add_tag and so on apply.
 */
export async function httpFilter(plugin: Plugin, event: LogstashEvent): Promise<boolean> {
  const option = (name: string) => plugin.attributes.find((one) => one.name === name)?.value;
  const listOf = (name: string, fallback: string) => textsOf(option(name)) ?? [fallback];
  const failed = () => listOf('tag_on_request_failure', '_httprequestfailure').forEach((tag) => addTag(event, tag));
  const isJson = textOf(option('body_format')) === 'json';
  const body = option('body');
  let answer: Answer;
  try {
    const payload =
      body === undefined
        ? ''
        : isJson && body.kind !== 'string'
          ? JSON.stringify(rendered(body, event))
          : sprintf(event, textOf(body) ?? '');
    const headers = {
      'content-type': isJson ? 'application/json' : 'text/plain',
      ...(rendered(option('headers'), event) as Record<string, string> | undefined),
    };
    // A reference that stays in a URL makes it none, as everything does that has to be escaped: the call is never made.
    const url = sprintf(event, textOf(option('url')) ?? '');
    if (/[\s{}"\\<>^`|]/.test(url)) throw new Error('InvalidUriException');
    const socketTimeoutMs = Number(textOf(option('socket_timeout')) ?? 10) * 1000;
    const retries = textOf(option('retry_non_idempotent')) === 'true' ? Number(textOf(option('automatic_retries')) ?? 1) : 0;
    answer = await send({ url, method: textOf(option('verb')) ?? 'GET', headers, payload, socketTimeoutMs }, retries);
  } catch (fault) {
    if (!(fault instanceof Error)) throw fault;
    failed();
    return false;
  }
  setField(event, textOf(option('target_headers')) ?? '[@metadata][filter][http][response][headers]', answer.headers);
  if (answer.status < 200 || answer.status > 299) {
    failed();
    return false;
  }
  if (answer.body !== '')
    putBody(event, textOf(option('target_body')) ?? 'body', answer, listOf('tag_on_json_failure', '_jsonparsefailure'));
  return true;
}

function putBody(event: LogstashEvent, target: string, { contentType, body }: Answer, failureTags: readonly string[]): void {
  const isJson = contentType.split(';').some((part) => part.trim() === 'application/json');
  if (!isJson) return setField(event, target, body);
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (fault) {
    if (!(fault instanceof SyntaxError)) throw fault;
    return failureTags.forEach((tag) => addTag(event, tag));
  }
  return setField(event, target, parsed);
}

interface Sent {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string;
  readonly socketTimeoutMs: number;
}

/** A dropped connection is tried again, everything else is not. */
async function send(sent: Sent, retries: number): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await sendOnce(sent);
    } catch (fault) {
      if ((fault as NodeJS.ErrnoException).code !== 'ECONNRESET' || attempt >= retries) throw fault;
    }
  }
}

function sendOnce({ url, method, headers, payload, socketTimeoutMs }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = payload === '' ? {} : { 'content-length': Buffer.byteLength(payload) };
    const request = http.request(url, { method, headers: { 'user-agent': 'Manticore 0.9.2', ...headers, ...length } }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          contentType: response.headers['content-type'] ?? '',
          headers: response.headers,
          body: Buffer.concat(parts).toString('utf8'),
        }),
      );
    });
    request.setTimeout(socketTimeoutMs, () => request.destroy(new Error('Read timed out')));
    request.on('error', reject);
    request.end(payload);
  });
}

function rendered(value: Value | undefined, event: LogstashEvent): unknown {
  switch (value?.kind) {
    case 'string':
    case 'bareword':
      return sprintf(event, value.text);
    case 'number':
      return Number(value.text);
    case 'array':
      return value.items.map((item) => rendered(item, event));
    case 'hash':
      return Object.fromEntries(value.entries.map(({ key, value: one }) => [sprintf(event, key), rendered(one, event)]));
    default:
      return undefined;
  }
}

/** A scalar's text. */
export function textOf(value: Value | undefined): string | null {
  return value !== undefined && 'text' in value ? value.text : null;
}

/** Texts of a list, or of the one text that stands for it. */
export function textsOf(value: Value | undefined): string[] | null {
  if (value?.kind === 'array') return value.items.map((item) => textOf(item) ?? '');
  const text = textOf(value);
  return text === null ? null : [text];
}
