/**
 * The last resort of a process that serves: a throw that nothing caught is noted, and the process goes on. What it worked on is lost, which
 * its caller notices by the time limit; everybody else is served. Gives the function that ends this.
 */
export function surviveExceptions(note: (where: string, error: unknown) => void): () => void {
  const onThrow = (error: unknown) => note('a callback', error);
  const onRejection = (error: unknown) => note('a promise', error);
  process.on('uncaughtException', onThrow);
  process.on('unhandledRejection', onRejection);
  return () => {
    process.off('uncaughtException', onThrow);
    process.off('unhandledRejection', onRejection);
  };
}
