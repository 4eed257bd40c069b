import { Argument, Command, type Help, Option } from 'commander';
import { type OptionSynopsis, type Synopsis, usageOf } from './synopsis.ts';

/** Called for help, an option only has its name and its doc. */
function plainOption(name: string, option: OptionSynopsis): Option {
  return new Option(option.kind === 'flag' ? `--${name}` : `--${name} <${option.takes}>`, option.doc);
}

/** The framework's form of a command: it parses, throws instead of printing, and writes the help. */
export function toCommander(synopsis: Synopsis, toOption: (name: string, option: OptionSynopsis) => Option = plainOption): Command {
  const { name, group, summary, actions, words, options } = synopsis;
  const command = new Command(name)
    .summary(summary)
    .description(summary)
    .usage(usageOf(synopsis).slice(name.length + 1))
    .helpGroup(`${group}:`)
    .argument('[words...]')
    .helpOption('-h, --help', 'show this help')
    .exitOverride()
    .configureOutput({ writeErr: () => {}, outputError: () => {} })
    .configureHelp({
      // Metavariables stand bare, as in the usage line.
      optionTerm: (option) => option.flags.replace(/[<>]/g, ''),
      visibleArguments: () => toArguments(actions, words),
    });
  for (const [optionName, option] of Object.entries(options)) command.addOption(toOption(optionName, option));
  return command;
}

function toArguments(actions: Synopsis['actions'], words: Synopsis['words']): Argument[] {
  if (!actions) return words ? [toArgument(words.takes, words.doc)] : [];
  return Object.entries(actions).map(([action, follows]) => toArgument(`${action} ${follows.takes}`.trim(), follows.doc));
}

function toArgument(term: string, doc: string): Argument {
  const argument = new Argument('word', doc);
  argument.name = () => term;
  return argument;
}

/** The help of one command, as wide as the terminal. */
export function helpOf(synopsis: Synopsis, columns: number | undefined): string {
  const command = toCommander(synopsis).name(`ismalicious ${synopsis.name}`);
  const help = withWidth(command, columns);
  const examples = synopsis.examples.map(([typed, does]) => `  ismalicious ${typed}\n      ${does}`);
  const note = synopsis.note === undefined ? '' : `\n${help.boxWrap(synopsis.note, help.helpWidth ?? 80)}\n`;
  return `${command.helpInformation()}${examples.length === 0 ? '' : `\nExamples:\n${examples.join('\n')}\n`}${note}`;
}

/** The list of all commands, in groups. */
export function overviewOf(synopses: readonly Synopsis[], columns: number | undefined): string {
  const program = new Command('ismalicious')
    .usage('COMMAND [OPTION …]')
    .description('Threat enrichment for Splunk, Logstash and Elastic.')
    .helpCommand(false)
    .helpOption('-h, --help', 'show this help; ismalicious help COMMAND shows the options of a command')
    .addOption(new Option('--version', 'show the version'))
    .addOption(new Option('--no-color', 'no colours (also: NO_COLOR)'));
  for (const synopsis of synopses) program.addCommand(toCommander(synopsis));
  program.configureHelp({ subcommandTerm: (command) => command.name() });
  withWidth(program, columns);
  return program.helpInformation();
}

function withWidth(command: Command, columns = 80): Help {
  command.configureOutput({ getOutHelpWidth: () => columns, getOutHasColors: () => false });
  const help = command.createHelp();
  help.helpWidth = columns;
  return help;
}
