import { type Change, type Converted, lineFinder, type Unconverted } from './conversion.ts';
import { convertPlaybookLookup } from './playbook-lookup.ts';
import { FOREIGN_COMMANDS, FOREIGN_FIELDS, type Rewrite, type SplArguments } from './spl-commands.ts';

/** A stage of a search: what stands between two bars. */
interface Stage {
  readonly start: number;
  readonly end: number;
}

/** Where a search ends and another begins: an empty line, a stanza of a conf file, a setting `search = …`. */
const BETWEEN_SEARCHES = /\n(?=[ \t]*\n|\[[^\]\n]+\][ \t]*\n|search\s*=)/g;

/** Rewrites the commands of other apps in one or several searches, bare or in a conf file. */
export function convertSpl(text: string): Converted {
  const notes: Notes = { changes: [], unconverted: [], lineOf: lineFinder(text) };
  const parts: string[] = [];
  let from = 0;
  for (const to of [...[...text.matchAll(BETWEEN_SEARCHES)].map(({ index }) => index), text.length]) {
    parts.push(convertSearch(text.slice(from, to), from, notes));
    from = to;
  }
  return { text: parts.join(''), changes: notes.changes, unconverted: notes.unconverted };
}

interface Notes {
  readonly changes: Change[];
  readonly unconverted: Unconverted[];
  readonly lineOf: (offset: number) => number;
}

/** `base`: where the search begins in the whole text. */
function convertSearch(text: string, base: number, notes: Notes): string {
  const parts: string[] = [];
  let done = 0;
  let isForeign = false;
  for (const { start, end } of stagesOf(text)) {
    const stage = text.slice(start, end);
    const [, lead = '', name = '', rest = ''] = /^([\s\\]*(?:search\s*=\s*)?)([A-Za-z]\w*)([\s\S]*)$/.exec(stage) ?? [];
    const written = rest.slice(0, endOfWords(rest));
    const line = notes.lineOf(base + start + lead.length);
    const rewrite = rewriteStage(name, written);
    parts.push(text.slice(done, start));
    if (rewrite === null) parts.push(isForeign ? convertFields(stage, base + start, notes) : stage);
    else if (typeof rewrite === 'string') {
      parts.push(stage);
      notes.unconverted.push({ line, text: `${name}${written}`, reason: rewrite });
    } else {
      isForeign ||= name.toLowerCase() !== 'lookup';
      parts.push(lead, rewrite.is, rest.slice(written.length));
      notes.changes.push({ line, was: `${name}${written}`, is: rewrite.is, meaning: rewrite.meaning });
    }
    done = end;
  }
  parts.push(text.slice(done));
  return parts.join('');
}

/** Behind the last word: blanks and the marks of continued lines follow. */
function endOfWords(text: string): number {
  let end = text.length;
  while (end > 0 && /[\s\\]/.test(text.charAt(end - 1))) end--;
  return end;
}

/** `null`: a command that is not known. */
function rewriteStage(name: string, written: string): Rewrite | null {
  const lower = name.toLowerCase();
  if (lower === 'lookup') return convertPlaybookLookup(written);
  const known = Object.hasOwn(FOREIGN_COMMANDS, lower) ? FOREIGN_COMMANDS[lower] : undefined;
  return known === undefined ? null : known.rewrite(argumentsOf(written));
}

function argumentsOf(written: string): SplArguments {
  const named = new Map<string, string>();
  const bare: string[] = [];
  for (const [, name, quoted, plain] of written.matchAll(/(?:([A-Za-z_]\w*)\s*=\s*)?(?:"((?:[^"\\]|\\.)*)"|([^\s"=\\]+))/g)) {
    const value = quoted ?? plain ?? '';
    if (name === undefined) bare.push(value);
    else named.set(name.toLowerCase(), value);
  }
  return { named, bare, written };
}

/** Bars and brackets outside of quotes and comments end a stage. */
function stagesOf(text: string): Stage[] {
  const stages: Stage[] = [];
  let start = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\[\s\S])*"|```[\s\S]*?```|[|[\]]/g)) {
    if (token.length > 1) continue;
    if (index > start) stages.push({ start, end: index });
    start = index + 1;
  }
  if (start < text.length) stages.push({ start, end: text.length });
  return stages;
}

/** Names of fields that the converted command no longer makes: renamed where there is a counterpart, else named. Texts in quotes stay. */
function convertFields(stage: string, base: number, { changes, unconverted, lineOf }: Notes): string {
  return stage.replaceAll(/"(?:[^"\\]|\\[\s\S])*"|(?<![\w.$])[A-Za-z_]\w*(?![\w.(])/g, (token, offset: number) => {
    const known = token.startsWith('"') ? undefined : FOREIGN_FIELDS.find(({ of }) => of.test(token));
    if (known === undefined) return token;
    const line = lineOf(base + offset);
    if (known.is === undefined) unconverted.push({ line, text: token, reason: known.meaning });
    else changes.push({ line, was: token, is: known.is, meaning: [known.meaning] });
    return known.is ?? token;
  });
}
