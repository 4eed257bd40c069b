/** Whether an id is among those that were asked for: by itself, or as an instance (`misp.hq`) of one that was (`misp`). */
export function isAskedFor(asked: readonly string[], id: string): boolean {
  const dot = id.indexOf('.');
  return asked.includes(id) || (dot > 0 && asked.includes(id.slice(0, dot)));
}
