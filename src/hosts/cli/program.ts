import { errorMessage } from '../../model/formats/error-message.ts';
import { BatchError } from '../../batch/batch-error.ts';
import { ConfigError } from '../../config/config-error.ts';
import { ignoreTlsSwitch } from '../../engine/calls/http/tls-switch.ts';
import { EXIT, type Io, UsageError } from './command.ts';
import type { CommandEntry } from './commands.ts';
import { VERSION } from './version.ts';
import { inertLines } from '../../model/formats/inert-text.ts';

/** Runs the program; resolves to its exit code. */
export async function runProgram(args: readonly string[], io: Io): Promise<number> {
  const [name = 'help', ...rest] = args;
  if (name === '--version' || name === 'version') {
    io.stdout.write(`${VERSION}\n`);
    return EXIT.ok;
  }
  try {
    // What a shell asks while somebody types: see completion.ts.
    if (name === 'complete') return await (await import('./completion.ts')).answerShell(rest, io);
    if (name === 'help' || name === '--help' || name === '-h') return await printHelp(rest[0], io);
    const { load } = await find(name);
    const end = rest.indexOf('--');
    const options = end === -1 ? rest : rest.slice(0, end);
    if (options.includes('--help') || options.includes('-h')) return await printHelp(name, io);
    const command = await load();
    const warning = ignoreTlsSwitch();
    if (warning !== null) io.stderr.write(`warning: ${warning}\n`);
    return await command.run(rest, io);
  } catch (error) {
    if (error instanceof UsageError || error instanceof BatchError) {
      io.stderr.write(`ismalicious: ${inertLines(error.message)}\nSee: ismalicious help${(await isKnown(name)) ? ` ${name}` : ''}\n`);
      return EXIT.usage;
    }
    if (error instanceof ConfigError) {
      io.stderr.write(`ismalicious: ${inertLines(error.message)}\n`);
      return EXIT.usage;
    }
    io.stderr.write(`ismalicious: ${inertLines(errorMessage(error))}\n`);
    return EXIT.failed;
  }
}

async function isKnown(name: string): Promise<boolean> {
  const { COMMANDS } = await import('./commands.ts');
  return COMMANDS.some(({ synopsis }) => synopsis.name === name);
}

async function find(name: string): Promise<CommandEntry> {
  const { COMMANDS } = await import('./commands.ts');
  const found = COMMANDS.find(({ synopsis }) => synopsis.name === name);
  if (found) return found;
  const { didYouMean } = await import('./did-you-mean.ts');
  const names = [...COMMANDS.map(({ synopsis }) => synopsis.name), 'help', 'version'];
  if (name.startsWith('-')) throw new UsageError(`Unknown option "${name}".${didYouMean(name, ['--help', '--version', '--no-color'])}`);
  throw new UsageError(`Unknown command "${name}".${didYouMean(name, names)}`);
}

async function printHelp(name: string | undefined, io: Io): Promise<number> {
  const { helpOf, overviewOf } = await import('./to-commander.ts');
  if (name !== undefined && !name.startsWith('-')) io.stdout.write(helpOf((await find(name)).synopsis, io.columns));
  else {
    const { COMMANDS } = await import('./commands.ts');
    io.stdout.write(
      overviewOf(
        COMMANDS.map(({ synopsis }) => synopsis),
        io.columns,
      ),
    );
  }
  return EXIT.ok;
}
