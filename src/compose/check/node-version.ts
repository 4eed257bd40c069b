/** The oldest Node that runs the programs, and the oldest that keeps the cache on disk: earlier ones have no `node:sqlite` without a flag. */
export const OLDEST = [22, 0] as const;
export const OLDEST_WITH_SQLITE = [22, 13] as const;

/** Why a version of Node is not enough, in one sentence; `null`: it is. */
export function nodeFault(version: string, { needs }: { readonly needs: readonly [number, number] }): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > needs[0] || (major === needs[0] && minor >= needs[1])) return null;
  const tooOld = major < OLDEST[0];
  const rest = tooOld ? '' : '; this one works with its cache in memory, and without pipeline, watchlist and feedback';
  return `Node ${version} is here, Node ${needs.join('.').replace(/\.0$/, '')} or newer is needed${rest}`;
}
