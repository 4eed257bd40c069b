/** Most characters of a fault that are shown. */
const SHOWN = 300;

/** What the library says of a fault, with what lies behind it, in one line. It has no secret in it: the library shows none. */
export function faultWords(error: unknown): string {
  const words = new Set<string>();
  collect(error, words);
  return [...words].join(': ').replaceAll(/\s+/g, ' ').slice(0, SHOWN) || 'unknown fault';
}

function collect(error: unknown, words: Set<string>): void {
  if (!(error instanceof Error)) return;
  words.add(error.message);
  if (error instanceof AggregateError) collect(error.errors[0], words);
  else collect(error.cause, words);
}
