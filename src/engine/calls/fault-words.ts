const MAX_CHARACTERS = 300;

/** A throw that nobody expected in one short line. */
export function wordsOf(error: unknown): string {
  const words = error instanceof Error ? `${error.name}: ${error.message}` : 'unknown fault';
  return words.split('\n', 1)[0]?.slice(0, MAX_CHARACTERS) ?? '';
}
