/** Something that was not let go of may keep the event loop busy no longer than this. */
const LINGER_MS = 1000;

/**
 * Ends the process with `status` as soon as nothing is left to do.
 *
 * Not by `process.exit()`: it joins V8's compiler threads without serving them, and one of them may be waiting for this very
 * thread to collect garbage. Seen on Node 24.21 in one of some hundred runs: a process that never ends, and a search with it.
 */
export function endProcess(status: number): void {
  process.exitCode = status;
  setTimeout(() => process.exit(status), LINGER_MS).unref();
}
