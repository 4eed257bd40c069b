import { Agent, METHODS, request } from 'node:http';

/** Every method that a request may have; CONNECT makes no request. */
export const ALL_METHODS = METHODS.filter((method) => method !== 'CONNECT');

/** Ways to spell a path so that some reader takes it for that path; the first is the path itself. */
export function spellings(path: string, host: string): string[] {
  const rest = path.slice(1);
  const letter = rest.charCodeAt(0);
  return [
    path,
    `/${path}`,
    `//${path}`,
    `/.${path}`,
    `/x/..${path}`,
    `/%2e${path}`,
    `/x/%2e%2e${path}`,
    `/x%2f..${path}`,
    `/%2f${rest}`,
    `/;${path}`,
    `${path};a=1`,
    `/;a=1${path}`,
    `${path}%00`,
    `${path}/.`,
    `/healthz/..${path}`,
    `/healthz;${path}`,
    `http://${host}${path}`,
    `http://${host}/${path}`,
    `HTTP://${host}/.${path}`,
    `http://elsewhere.test${path}`,
    path.toUpperCase(),
    rest === '' ? '/%20' : `/%${letter.toString(16)}${rest.slice(1)}`,
    rest === '' ? '/?a' : `${path}?a=/healthz`,
    `/\\${rest}`,
  ];
}

/** What a caller is told. */
export interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Calls with a target that goes out to the letter. Status 0: the connection was closed without an answer. */
export function createCaller(port: number): {
  call(method: string, target: string, headers?: Readonly<Record<string, string>>, body?: string): Promise<Told>;
  close(): void;
} {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  return {
    close: () => agent.destroy(),
    call: (method, target, headers = {}, body = '') =>
      new Promise((resolve) => {
        const framing = body === '' ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
        const call = request({ host: '127.0.0.1', port, agent, method, path: target, headers: { ...framing, ...headers } }, (answer) => {
          let text = '';
          answer.on('data', (part: Buffer) => (text += part.toString('latin1')));
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
        });
        call.on('error', () => resolve({ status: 0, headers: {}, text: '' }));
        call.end(body);
      }),
  };
}
