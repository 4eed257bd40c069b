/**
 * Values of a `__mv_` cell, unquoted: `$a$;$b$`, a `$` inside a value doubled (Splunk's protocol v2 recordings).
 * Empty for text of another shape.
 */
export function readMultivalue(text: string): string[] {
  const values: string[] = [];
  // No regular expression: V8's stack ends within a value of some 10 MB.
  for (let open = text.indexOf('$'); open >= 0;) {
    let close = text.indexOf('$', open + 1);
    while (close >= 0 && text[close + 1] === '$') close = text.indexOf('$', close + 2);
    if (close < 0) break;
    const isWhole = close + 1 === text.length || text[close + 1] === ';';
    if (isWhole) values.push(text.slice(open + 1, close).replaceAll('$$', '$'));
    open = isWhole ? text.indexOf('$', close + 1) : close;
  }
  return values;
}

/** The `__mv_` cell of several values; a single one has none. */
export function writeMultivalue(values: readonly string[]): string {
  return values.length < 2 ? '' : values.map((value) => `$${value.replaceAll('$', '$$$$')}$`).join(';');
}
