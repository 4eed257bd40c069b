/**
 * Values of a `__mv_` cell, unquoted: `$a$;$b$`, a `$` inside a value doubled (Splunk's protocol v2 recordings).
 * Empty for text of another shape.
 */
export function readMultivalue(text: string): string[] {
  const values: string[] = [];
  for (const [, value = ''] of text.matchAll(/\$((?:[^$]|\$\$)*)\$(?:;|$)/g)) values.push(value.replaceAll('$$', '$'));
  return values;
}

/** The `__mv_` cell of several values; a single one has none. */
export function writeMultivalue(values: readonly string[]): string {
  return values.length < 2 ? '' : values.map((value) => `$${value.replaceAll('$', '$$$$')}$`).join(';');
}
