import { runProgram } from './program.ts';

const isTty = process.stderr.isTTY === true;
const wantsColor = process.env.NO_COLOR === undefined || process.env.NO_COLOR === '';

// `ismalicious … | head`: the reader has seen enough, that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const code = await runProgram(
  process.argv.slice(2).filter((arg) => arg !== '--no-color'),
  {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    hasColor: process.stdout.isTTY === true && wantsColor && !process.argv.includes('--no-color'),
    hasProgress: isTty,
  },
);
// Not process.exit(): what is still being written to a pipe would be cut off.
process.exitCode = code;
