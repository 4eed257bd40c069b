/**
 * Values of a `__mv_` cell, unquoted: `$a$;$b$`, a `$` inside a value doubled (Splunk's protocol v2 recordings).
 * Empty for text of another shape.
 */
export function readMultivalue(text: string): string[] {
  const values: string[] = [];
  for (const [, value = ''] of text.matchAll(/\$((?:[^$]|\$\$)*)\$(?:;|$)/g)) values.push(value.replaceAll('$$', '$'));
  return values;
}
