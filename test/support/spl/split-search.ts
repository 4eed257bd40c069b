// Cuts a search into its commands, and puts macros into it: outside of quotes only, as Splunk does.
/** A macro of macros.conf. */
export interface Macro {
  readonly definition: string;
  /** Names of its arguments. */
  readonly args: readonly string[];
}

/** The search with all macros replaced. One within quotes stays as it stands: Splunk does not look there. */
export function expandMacros(search: string, macros: ReadonlyMap<string, Macro>, depth = 0): string {
  if (depth > 10) throw new Error('macros call each other in a circle');
  let text = '';
  let isQuoted = false;
  for (let at = 0; at < search.length; at++) {
    const letter = search[at] ?? '';
    if (letter === '\\') text += letter + (search[++at] ?? '');
    else if (letter === '`' && !isQuoted) {
      const end = closingTick(search, at);
      text += expandMacros(expandOne(search.slice(at + 1, end), macros), macros, depth + 1);
      at = end;
    } else {
      if (letter === '"') isQuoted = !isQuoted;
      text += letter;
    }
  }
  return text;
}

function closingTick(search: string, from: number): number {
  const end = search.indexOf('`', from + 1);
  if (end < 0) throw new Error('a macro is not closed');
  return end;
}

function expandOne(call: string, macros: ReadonlyMap<string, Macro>): string {
  const [, name = '', , list] = /^(\w+)(\(([^]*)\))?$/.exec(call.trim()) ?? [];
  const given = list === undefined ? [] : cut(list, ',').map((one) => one.trim().replaceAll(/^"|"$/g, ''));
  const macro = macros.get(list === undefined ? name : `${name}(${given.length})`);
  if (macro === undefined) throw new Error(`there is no macro ${call}`);
  return macro.args.reduce((text, arg, n) => text.replaceAll(`$${arg}$`, given[n] ?? ''), macro.definition);
}

/** The parts of a text between a letter that stands outside of quotes, parentheses and brackets. */
export function cut(text: string, by: string): string[] {
  const parts = [''];
  let [isQuoted, depth] = [false, 0];
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] ?? '';
    if (letter === '\\') {
      parts.push(`${parts.pop()}${letter}${text[++at] ?? ''}`);
      continue;
    }
    if (letter === '"') isQuoted = !isQuoted;
    if (!isQuoted && '([{'.includes(letter)) depth++;
    if (!isQuoted && ')]}'.includes(letter)) depth--;
    if (letter === by && !isQuoted && depth === 0) parts.push('');
    else parts.push((parts.pop() ?? '') + letter);
  }
  return parts;
}
