/** One step into a JSON document: a key, an index, or every element. */
type Step = { readonly key: string } | { readonly index: number } | 'each';

const TOKEN = /\.?([A-Za-z_@$][\w@$-]*)|\[(\d{1,6})\]|\[\*\]|\["((?:[^"\\]|\\.)*)"\]/y;

/**
 * A small JSONPath: `data.score`, `results[0].name`, `results[*].tags[*]`, `data["a.b"]`, with or without a leading `$`.
 * `null`: not of that form.
 */
export function parseJsonPath(text: string): readonly Step[] | null {
  const path = text.trim().replace(/^\$\.?/, '');
  const steps: Step[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < path.length) {
    const found = TOKEN.exec(path);
    if (!found) return null;
    const [whole, key, index, quoted] = found;
    if (key !== undefined) steps.push({ key });
    else if (index !== undefined) steps.push({ index: Number(index) });
    else steps.push(quoted !== undefined && whole.startsWith('["') ? { key: quoted.replace(/\\(.)/g, '$1') } : 'each');
  }
  return steps;
}

/** Every value that a path leads to, in document order; missing ones are left out, `null` is a value. */
export function selectJson(document: unknown, path: string): unknown[] {
  let found: unknown[] = [document];
  for (const step of parseJsonPath(path) ?? []) found = found.flatMap((value) => stepInto(value, step));
  return found;
}

function stepInto(value: unknown, step: Step): unknown[] {
  if (step === 'each') return Array.isArray(value) ? value : [];
  if ('index' in step) return Array.isArray(value) && step.index < value.length ? [value[step.index]] : [];
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, step.key)
    ? [Reflect.get(value, step.key)]
    : [];
}
