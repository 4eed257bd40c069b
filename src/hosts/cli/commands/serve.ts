import { type Command, EXIT, parseCount, UsageError } from '../command.ts';
import { parseOptions } from '../parse-options.ts';
import { serveSynopsis } from '../synopses/run.ts';
import { VERSION } from '../version.ts';

/** `ismalicious serve` */
export const serve: Command = {
  synopsis: serveSynopsis,
  async run(args, io) {
    const { values } = parseOptions(args, serveSynopsis);
    const port = values.port === undefined ? undefined : parsePort(values.port);
    if (io.startSidecar === undefined) throw new Error('there is no sidecar in this program');
    const { hasFailed, fault, isMisused } = await io.startSidecar({
      env: io.env,
      configPath: values.config,
      profile: values.profile,
      set: {
        ...(values.host === undefined ? {} : { host: values.host }),
        ...(port === undefined ? {} : { port }),
        ...(values.workers === undefined ? {} : { workers: parseCount(values.workers, '--workers', 1) }),
      },
      version: VERSION,
      stdout: io.stdout,
      stderr: io.stderr,
    });
    if (fault !== null) throw isMisused ? new UsageError(fault) : new Error(fault);
    return hasFailed ? EXIT.failed : EXIT.ok;
  },
};

const HIGHEST_PORT = 65_535;

function parsePort(text: string): number {
  const port = parseCount(text, '--port');
  if (port > HIGHEST_PORT) throw new UsageError(`--port has to be a whole number from 0 to ${HIGHEST_PORT}.`);
  return port;
}
