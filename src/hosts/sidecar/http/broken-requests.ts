import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { wordTable } from '../../../model/tables/word-table.ts';
import { refusalBody } from './replies.ts';

const BROKEN = wordTable<readonly [line: string, code: string, message: string]>({
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'request_timeout', 'the request did not arrive in time, or its body stood still'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'headers_too_large', 'the headers are too long'],
});

/** How long who was told so has to hang up. */
const HANG_UP_MS = 1000;

/** What went wrong before there was a connection to answer on. */
const HANDSHAKE = /^ERR_(SSL|TLS)_/;

/** What is no HTTP, or too slow, is told so in the words of the API and cut off. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || HANDSHAKE.test(error.code ?? '') || !socket.writable) return void socket.destroy();
  const [line, code, message] = BROKEN.get(error.code ?? '') ?? ['400 Bad Request', 'bad_request', 'this is not an HTTP request'];
  const body = JSON.stringify(refusalBody({ code, message }));
  socket.end(
    `HTTP/1.1 ${line}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  const timer = setTimeout(() => socket.destroy(), HANG_UP_MS).unref();
  socket.once('close', () => clearTimeout(timer));
}

/** A body that stands still: its caller is told so, unless the answer has begun. */
export function cutOff(res: ServerResponse): void {
  const { req, headersSent } = res;
  if (headersSent) return void res.destroy();
  res.statusCode = 408;
  answerBrokenRequest({ name: 'Error', message: '', code: 'ERR_HTTP_REQUEST_TIMEOUT' }, req.socket);
}
