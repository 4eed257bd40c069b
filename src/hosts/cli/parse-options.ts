import { CommanderError, InvalidArgumentError, Option } from 'commander';
import { didYouMean } from './did-you-mean.ts';
import { UsageError } from './command.ts';
import { mostWords, type OptionSynopsis, type Synopsis, type ValuesOf, type Words } from './synopsis.ts';
import { toCommander } from './to-commander.ts';

/** What was typed behind a command. */
export interface Given<S extends Synopsis> {
  readonly values: ValuesOf<S['options']>;
  /** The action, for commands that have some; it is one of the synopsis. */
  readonly action: S extends { readonly actions: infer Actions } ? keyof Actions & string : null;
  /** Words that are no options, without the action. */
  readonly words: readonly string[];
}

/** Reads what was typed behind a command; what is wrong becomes a `UsageError`. */
export function parseOptions<const S extends Synopsis>(args: readonly string[], synopsis: S): Given<S> {
  const command = toCommander(synopsis, (name, option) => toOption(name, option, { synopsis, args }));
  try {
    command.parse([...args], { from: 'user' });
  } catch (error) {
    throw error instanceof CommanderError ? toUsageError(error, synopsis) : error;
  }
  const { action, words } = splitWords(command.args, synopsis);
  return { values: valuesOf(command.options, command.opts()), action, words } as unknown as Given<S>;
}

function valuesOf(options: readonly Option[], values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const named = options.map((option) => [option.long?.slice(2) ?? '', values[option.attributeName()]] as const);
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}

/** An option that takes its value as it is, once or several times. */
function toOption(name: string, option: OptionSynopsis, { synopsis, args }: { synopsis: Synopsis; args: readonly string[] }): Option {
  if (option.kind === 'flag') return new Option(`--${name}`, option.doc);
  return new Option(`--${name} <${option.takes}>`, option.doc).argParser<unknown>((value, before) => {
    // `--config --json`: the value was forgotten. A value that really begins so is written with `=`.
    if (value.startsWith('--') && Object.hasOwn(synopsis.options, value.slice(2)) && !args.includes(`--${name}=${value}`))
      throw new InvalidArgumentError('');
    if (option.choices && !option.choices.includes(value))
      throw new UsageError(`--${name} has to be one of ${option.choices.join(', ')}, not "${value}".${didYouMean(value, option.choices)}`);
    return option.kind === 'texts' ? [...((before as string[] | undefined) ?? []), value] : value;
  });
}

function toUsageError({ code, message }: CommanderError, { options }: Synopsis): UsageError {
  const [, quoted = ''] = /'([^']*)'/.exec(message) ?? [];
  const [name = ''] = quoted.split(/[ =]/);
  switch (code) {
    case 'commander.unknownOption':
      if (Object.hasOwn(options, name.slice(2))) return new UsageError(`Option "${name}" takes no value.`);
      return new UsageError(
        `Unknown option "${name}".${didYouMean(
          name,
          Object.keys({ ...options, help: 0 }).map((known) => `--${known}`),
        )}`,
      );
    case 'commander.optionMissingArgument':
    case 'commander.invalidArgument':
      return new UsageError(`${name} needs a value: ${quoted}`);
    default:
      return new UsageError(message.replace(/^error: /, ''));
  }
}

function splitWords(given: readonly string[], { name, actions, words = { takes: '', doc: '' } }: Synopsis) {
  if (!actions) return { action: null, words: bounded(given, words, name) };
  const [action, ...rest] = given;
  const known = Object.keys(actions);
  if (action === undefined) throw new UsageError(`${name} needs an action: ${known.join(', ')}.`);
  const follows = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (!follows) throw new UsageError(`Unknown action "${action}" of ${name}.${didYouMean(action, known)} Actions: ${known.join(', ')}.`);
  return { action, words: bounded(rest, follows, `${name} ${action}`) };
}

function bounded(given: readonly string[], words: Words, caller: string): readonly string[] {
  const most = mostWords(words);
  if (given.length <= most) return given;
  throw new UsageError(
    most === 0
      ? `${caller} takes no value, but got "${given[0]}".`
      : `${caller} takes one ${words.takes.replace(/[[\]]/g, '')}, but got ${given.length}.`,
  );
}
