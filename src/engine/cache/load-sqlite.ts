/** SQLite of this Node is missing: what needs it says so. */
export class NoSqliteError extends Error {
  override readonly name = 'NoSqliteError';
  /** `what`: what needs it, for people. */
  constructor(what: string) {
    super(`${what} needs Node 22.13 or newer: Node ${process.versions.node} has no SQLite`);
  }
}

/** node:sqlite says at load that it is experimental: on Splunk's stderr that line would read as an error of the command. */
export async function loadSqlite(): Promise<typeof import('node:sqlite')> {
  const sqlite = await findSqlite();
  if (sqlite === null) throw new NoSqliteError('this');
  return sqlite;
}

/** The same; `null`: this Node has none, as those before 22.13. */
export async function findSqlite(): Promise<typeof import('node:sqlite') | null> {
  const emit = process.emitWarning;
  process.emitWarning = () => {};
  try {
    return await import('node:sqlite');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_UNKNOWN_BUILTIN_MODULE') return null;
    throw error;
  } finally {
    process.emitWarning = emit;
  }
}
