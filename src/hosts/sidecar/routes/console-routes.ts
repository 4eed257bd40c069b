import type { FastifyInstance } from 'fastify';
import { CONSOLE_FILES, createConsoleFiles, PAGE_HEADERS, PAGE_HTML } from '../console-page.ts';
import { refusalBody } from '../http/replies.ts';

/** `/` and `/docs`: the console, and the script and style it is made of. No data: what it shows it asks for as any caller does. */
export function addConsoleRoutes(app: FastifyInstance, folder?: URL): void {
  const fileOf = createConsoleFiles(folder);
  for (const path of ['/', '/docs'])
    app.get(path, (_request, reply) => reply.headers(PAGE_HEADERS).type('text/html; charset=utf-8').send(PAGE_HTML));
  for (const name of CONSOLE_FILES)
    app.get(`/console/${name}`, (request, reply) => {
      const file = fileOf(name);
      if (file === null) return reply.code(404).send(refusalBody(NOT_BUILT));
      void reply.headers({ etag: file.tag, 'cache-control': 'no-cache', vary: 'accept-encoding', 'x-content-type-options': 'nosniff' });
      if (request.headers['if-none-match'] === file.tag) return reply.code(304).send();
      const isPacked = request.headers['accept-encoding']?.includes('gzip') === true;
      if (isPacked) void reply.header('content-encoding', 'gzip');
      return reply.type(file.type).send(isPacked ? file.packed : file.bytes);
    });
}

const NOT_BUILT = {
  code: 'not_found',
  message: 'the console is not beside the program (dist/console): build it with "npm run build", or install the program again',
};
