// src/compose/process/: what a whole process does: how it ends, how much memory its heap may take.
/**
 * The last resort of a program that does one thing: a throw that nothing caught ends it with one line on stderr and status 1, in place of
 * Node's dump of the source. A program that serves has a last resort of its own, which counts.
 */
export function endShortly(): void {
  const end = (error: unknown) => {
    if (process.listenerCount('uncaughtException') > 1) return;
    const words = error instanceof Error ? `${error.name}: ${error.message}` : 'unknown fault';
    process.stderr.write(`ismalicious: a fault of the program, please report it: ${words.split('\n', 1)[0]?.slice(0, 300) ?? ''}\n`, () =>
      process.exit(1),
    );
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}
