import { ConfigError } from '../../config/load.ts';
import { ignoreTlsSwitch } from '../../engine/http/tls-switch.ts';
import { type Command, EXIT, type Io, UsageError } from './command.ts';
import { VERSION } from './version.ts';
import { wordTable } from '../../model/word-table.ts';
import { inertLines } from '../../model/inert-text.ts';

/** Commands by name, loaded when they are called. */
const COMMANDS = wordTable<() => Promise<Command>>({
  check: async () => (await import('./check.ts')).check,
  enrich: async () => (await import('./enrich.ts')).enrich,
  extract: async () => (await import('./extract.ts')).extract,
  plan: async () => (await import('./plan.ts')).plan,
  serve: async () => (await import('./serve.ts')).serve,
  cache: async () => (await import('./cache.ts')).cache,
  pipeline: async () => (await import('../pipeline/commands/pipeline.ts')).pipelineCommand,
  store: async () => (await import('../pipeline/commands/store.ts')).storeCommand,
  watch: async () => (await import('../pipeline/commands/watch.ts')).watchCommand,
  triage: async () => (await import('../pipeline/commands/triage.ts')).triageCommand,
  elastic: async () => (await import('./elastic/command.ts')).elastic,
  backfill: async () => (await import('./elastic/backfill-command.ts')).backfillCommand,
  replay: async () => (await import('./replay.ts')).replay,
  feedback: async () => (await import('./feedback.ts')).feedback,
  report: async () => (await import('./report.ts')).report,
  config: async () => (await import('./config.ts')).config,
  doctor: async () => (await import('./doctor.ts')).doctor,
});

/** Runs the program; resolves to its exit code. */
export async function runProgram(args: readonly string[], io: Io): Promise<number> {
  const [name = 'help', ...rest] = args;
  try {
    if (name === 'help' || name === '--help' || name === '-h') return await printHelp(rest[0], io);
    if (name === '--version' || name === 'version') {
      io.stdout.write(`${VERSION}\n`);
      return EXIT.ok;
    }
    const load = COMMANDS.get(name);
    if (!load) throw new UsageError(`${name} is no command; known are ${[...COMMANDS.keys()].join(', ')}`);
    if (rest.includes('--help') || rest.includes('-h')) return await printHelp(name, io);
    const command = await load();
    const warning = ignoreTlsSwitch();
    if (warning !== null) io.stderr.write(`warning: ${warning}\n`);
    return await command.run(rest, io);
  } catch (error) {
    if (error instanceof UsageError) {
      io.stderr.write(`ismalicious: ${inertLines(error.message)}\nSee: ismalicious help ${COMMANDS.has(name) ? name : ''}\n`);
      return EXIT.usage;
    }
    if (error instanceof ConfigError) {
      io.stderr.write(`ismalicious: ${inertLines(error.message)}\n`);
      return EXIT.usage;
    }
    io.stderr.write(`ismalicious: ${inertLines(error instanceof Error ? error.message : String(error))}\n`);
    return EXIT.failed;
  }
}

async function printHelp(name: string | undefined, io: Io): Promise<number> {
  if (name !== undefined && !COMMANDS.has(name))
    throw new UsageError(`${name} is no command; known are ${[...COMMANDS.keys()].join(', ')}`);
  if (name !== undefined) {
    const command = await COMMANDS.get(name)?.();
    io.stdout.write(`ismalicious ${command?.usage}\n\n${command?.summary}\n\n${command?.help}\n`);
    return EXIT.ok;
  }
  const commands = await Promise.all([...COMMANDS.values()].map((load) => load()));
  const lines = commands.map((command) => `  ${command.name.padEnd(10)}${command.summary}`);
  io.stdout.write(
    `ismalicious COMMAND [OPTION …]: threat enrichment for Splunk, Logstash and Elastic\n\n${lines.join('\n')}\n\nismalicious help COMMAND tells its options.\n`,
  );
  return EXIT.ok;
}
