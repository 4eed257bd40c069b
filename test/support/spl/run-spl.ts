import { COMMANDS } from './commands.ts';
import { parseFilter } from './search-filter.ts';
import type { SplWorld } from './spl-world.ts';
import { cut, expandMacros } from './split-search.ts';
import { type Row, textOf } from './values.ts';

/** The rows a search ends with. Throws for a command, a function or an option that is not known here. */
export function runSpl(search: string, world: SplWorld): Row[] {
  return runPipeline(expandMacros(search, world.macros), [], world);
}

/** Runs commands that have their macros already. `rows`: what comes into the first. */
export function runPipeline(search: string, rows: readonly Row[], world: SplWorld): Row[] {
  const [first = '', ...others] = cut(search, '|');
  const begun = first.trim() === '' ? [...rows] : events(first.trim().replace(/^search\s/, ''), world);
  return others.reduce<Row[]>((found, command) => runCommand(command.trim(), found, world), begun);
}

function events(text: string, world: SplWorld): Row[] {
  // The time range belongs to the job: the events of a test are those in it.
  const timeless = text.replaceAll(/\b(?:earliest|latest)=\S+/g, '');
  return world.events.filter(parseFilter(expandTypes(expandSubsearches(timeless, world), world)));
}

/** `format` with `OR` between the fields of a row; without it, all of them have to fit. */
const ANY_FIELD = /\|\s*format "\(" "\(" "OR" "\)" "OR" "\)"\s*$/;

/** A subsearch stands for its rows: any of them, with all of its fields. */
function expandSubsearches(text: string, world: SplWorld): string {
  return text.replaceAll(/\[((?:[^"\]]|"(?:[^"\\]|\\[^])*")*)\]/g, (_all, whole: string) => {
    const inner = whole.replace(ANY_FIELD, '');
    const joint = inner === whole ? ' ' : ' OR ';
    const rows = runPipeline(inner, [], world).map((row) => {
      const pairs = Object.entries(row).filter(([name]) => !name.startsWith('_'));
      return `(${pairs.map(([name, value]) => `${name}="${textOf(value).replaceAll(/["\\]/g, '\\$&')}"`).join(joint)})`;
    });
    return rows.length === 0 ? 'NOT *' : `(${rows.join(' OR ')})`;
  });
}

function expandTypes(text: string, world: SplWorld): string {
  return text.replaceAll(/eventtype=(\w+)/g, (_all, name: string) => {
    const search = world.eventtypes.get(name);
    if (search === undefined) throw new Error(`there is no event type ${name}`);
    return `(${search})`;
  });
}

function runCommand(text: string, rows: readonly Row[], world: SplWorld): Row[] {
  const [, name = '', args = ''] = /^(\w+)\s*([^]*)$/.exec(text) ?? [];
  const own = world.commands[name];
  if (own) return own(rows, args);
  if (name === 'append') return [...rows, ...subsearch(args, [], world)];
  if (name === 'appendpipe') return [...rows, ...subsearch(args, rows, world)];
  const command = COMMANDS[name];
  if (command === undefined) throw new Error(`the command ${name} is not known here`);
  return command(rows, args.trim(), world);
}

function subsearch(args: string, rows: readonly Row[], world: SplWorld): Row[] {
  const [, inner] = /^\[([^]*)\]$/.exec(args.trim()) ?? [];
  if (inner === undefined) throw new Error('append: a subsearch stands in brackets');
  // A search of its own, or commands for the rows that are there.
  const isOwn = /^\s*(\||search\b)/.test(inner);
  return runPipeline(isOwn ? inner : `|${inner}`, rows, world);
}
