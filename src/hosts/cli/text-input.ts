import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { UsageError } from './command.ts';

/** Lines without their ends; empty ones are left out. */
export async function readLines(stream: NodeJS.ReadableStream): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) if (line.trim() !== '') lines.push(line);
  return lines;
}

/** The file named by the user, or stdin for `-` and for none. */
export async function openInput(path: string | undefined, stdin: NodeJS.ReadableStream): Promise<NodeJS.ReadableStream> {
  if (path === undefined || path === '-') return stdin;
  const stream = createReadStream(path);
  await new Promise<void>((resolve, reject) => {
    stream.once('open', () => resolve());
    stream.once('error', (error: NodeJS.ErrnoException) => reject(new UsageError(`${path} cannot be read (${error.code ?? 'unknown'})`)));
  });
  return stream;
}
