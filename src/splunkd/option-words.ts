/** Words that do not make sense. The message is for the search UI: it names the word and the remedy. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** One rule per option: reads its text into the draft, or answers what it should have been. */
export type OptionRules<Draft> = Readonly<Record<string, (text: string, draft: Draft) => string | undefined>>;

/** A command's options, and a call of it that works. */
export interface OptionWords<Draft> {
  readonly rules: OptionRules<Draft>;
  readonly draft: Draft;
  /** How a call begins: `| ismalicious dest_ip`. */
  readonly example: string;
  /** An option with a value that is valid, for the message about an unknown one. */
  readonly sample: string;
}

/** The words after a command's name: as splunkd unquoted them, and as typed, to tell the field `"a, b"` from the fields `a, b`. */
export interface TypedWords {
  readonly args: readonly string[];
  readonly rawArgs: readonly string[];
}

/** Reads options into the draft. What is no option is a field, none twice. Answers every fault at once. */
export function readOptionWords<Draft>({ args, rawArgs }: TypedWords, known: OptionWords<Draft>): { fields: string[]; faults: string[] } {
  const faults: string[] = [];
  const seen = new Set<string>();
  const fields = new Set<string>();
  for (const [n, arg] of args.entries()) {
    const isQuoted = rawArgs[n]?.startsWith('"') ?? false;
    const equals = arg.indexOf('=');
    // A field may have a name like `a=b`, in quotes; what begins with an option's name is that option, quotes or not.
    const isOption = equals >= 0 && (!isQuoted || Object.hasOwn(known.rules, nameOf(arg.slice(0, equals))));
    if (!isOption) {
      for (const field of isQuoted ? [arg] : arg.split(',')) if (field.trim() !== '') fields.add(field.trim());
      continue;
    }
    const fault = readOption(arg.slice(0, equals), arg.slice(equals + 1).trim(), known, seen);
    if (fault !== undefined) faults.push(fault);
  }
  return { fields: [...fields], faults };
}

function readOption<Draft>(
  written: string,
  text: string,
  { rules, draft, example, sample }: OptionWords<Draft>,
  seen: Set<string>,
): string | undefined {
  const name = nameOf(written);
  const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
  if (rule === undefined)
    return `unknown option "${shorten(written)}"; the options are ${Object.keys(rules).join(', ')}, for example ${example} ${sample}`;
  if (seen.has(name)) return `option ${name} is given twice; keep one`;
  seen.add(name);
  const wanted = rule(text, draft);
  return wanted === undefined ? undefined : `${name}="${shorten(text)}" is not valid; it takes ${wanted}`;
}

function nameOf(written: string): string {
  return written.trim().toLowerCase();
}

/** `t`, `yes`, `0`, …: a boolean as Splunk spells it; `null` for anything else. */
export function toBoolean(text: string): boolean | null {
  if (/^(t|true|1|yes|y)$/i.test(text)) return true;
  return /^(f|false|0|no|n)$/i.test(text) ? false : null;
}

/** The words of a list, in lower case; commas, bars and blanks part them. */
export function toList(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[,|\s]+/)
    .filter((word) => word !== '');
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
