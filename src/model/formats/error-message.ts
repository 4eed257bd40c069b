/** What was thrown, in its own words; anything can be thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message + deniedPath(error) : String(error);
}

/** Node's permission model (`--permission`) tells the path that it denies, but not in the message. */
function deniedPath(error: Error): string {
  if (!('code' in error) || error.code !== 'ERR_ACCESS_DENIED' || !('resource' in error)) return '';
  return typeof error.resource === 'string' && error.resource !== '' ? ` (${error.resource})` : '';
}
