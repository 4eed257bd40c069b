const MARK = '\u00EF\u00BB\u00BF';
const PLAIN_ACTION = /^[ \t\r]*\{[ \t\r]*"(index|create|update|delete)"/;
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    // No JSON.
    return undefined;
  }
}

const unmarked = (line: string) => (line.startsWith(MARK) ? line.slice(MARK.length) : line);

function actionIn(line: string): string {
  const text = unmarked(line);
  if (/^[ \t\r]*$/.test(text)) return 'blank';
  const plain = PLAIN_ACTION.exec(text)?.[1];
  if (plain !== undefined) return plain;
  const value = text.trim().length <= 4096 && /^[ \t\r]*\{[ \t\r]*"/.test(text) ? parsed(text) : undefined;
  const [key = ''] = isObject(value) ? Object.keys(value) : [];
  return ['index', 'create', 'update', 'delete'].includes(key) ? key : 'broken';
}

function* linesOf(body: Buffer): Generator<{ readonly line: string; readonly is: 'document' | 'update' | 'lost' }> {
  const lines = body.toString('latin1').split('\n');
  if (lines.at(-1) === '') lines.pop();
  let next: 'action' | 'document' | 'update' | 'lost' = 'action';
  for (const line of lines) {
    if (next === 'document' || next === 'update') {
      yield { line: unmarked(line), is: next };
      next = 'action';
      continue;
    }
    const action = actionIn(line);
    if (action === 'broken') next = 'lost';
    if (next === 'lost') {
      if (action === 'broken') yield { line, is: 'lost' };
    } else if (action !== 'blank' && action !== 'delete') next = action === 'update' ? 'update' : 'document';
  }
}

/** What a gateway has to count of a bulk body, by a plain reading of it, line by line, with `JSON.parse`. */
export function readBulk(body: Buffer): Record<string, number> {
  const counts: Record<string, number> = {};
  const count = (what: string) => (counts[what] = (counts[what] ?? 0) + 1);
  for (const { line, is } of linesOf(body)) {
    const value = parsed(line);
    if (is === 'lost') count('broken_action');
    else if (/^[ \t\r]*$/.test(line)) count('documents_total');
    else if (!isObject(value)) count('not_json');
    else if (is === 'update' && 'script' in value && !(typeof value.upsert === 'object' && Object.keys(value.upsert ?? {}).length > 0))
      count('script');
    else count('documents_total');
  }
  return counts;
}

/** Of a body that reached the engine: documents whose `destination.ip` or `source.ip` is one of `values` and that say nothing of it, and that do. */
export function unsaidIn(body: Buffer, values: readonly string[]): { readonly unsaid: number; readonly enriched: number } {
  let [unsaid, enriched] = [0, 0];
  for (const { line, is } of linesOf(body)) {
    const value = parsed(line);
    if (is === 'lost' || !isObject(value)) continue;
    for (const document of is === 'document' ? [value] : [value.doc, value.upsert]) {
      if (!isObject(document)) continue;
      const holds = [document.destination, document.source].some((side) => isObject(side) && values.includes(String(side.ip)));
      if (holds && !('ismalicious' in document)) unsaid++;
      if (holds && 'ismalicious' in document) enriched++;
    }
  }
  return { unsaid, enriched };
}
