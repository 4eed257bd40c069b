// src/: the program `ismalicious`. It stands above the hosts: `serve` and `mcp` need two of them, the command line and the one that serves.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { endShortly } from './compose/process/end-shortly.ts';
import { nodeFault, OLDEST } from './compose/check/node-version.ts';
import { runProgram } from './hosts/cli/program.ts';

endShortly();

const tooOld = nodeFault(process.versions.node, { needs: OLDEST });
if (tooOld !== null) {
  process.stderr.write(`ismalicious: ${tooOld}${launcherWords()}\n`);
  process.exit(1);
}

const isTty = process.stderr.isTTY === true;
const wantsColor = process.env.NO_COLOR === undefined || process.env.NO_COLOR === '';

// `ismalicious … | head`: the reader has seen enough, that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

/** Where the Node that came with this install is, if there is one. */
function launcherWords(): string {
  const bundled = join(import.meta.dirname, '..', 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  return existsSync(bundled) ? `: this install brought ${bundled}, which ./ismalicious uses.` : ': install it, and start ./ismalicious.';
}

/** A terminal's width (some tell none), or what a user says with COLUMNS; into a file or pipe lines are as long as they are. */
function columnsOf(stdout: NodeJS.WriteStream): number | undefined {
  if (stdout.isTTY) return stdout.columns || 80;
  const wanted = Number(process.env.COLUMNS);
  return Number.isInteger(wanted) && wanted > 0 ? wanted : undefined;
}

const code = await runProgram(
  process.argv.slice(2).filter((arg) => arg !== '--no-color'),
  {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    hasColor: process.stdout.isTTY === true && wantsColor && !process.argv.includes('--no-color'),
    hasProgress: isTty,
    async startSidecar(start) {
      const { boundHeap } = await import('./compose/process/bound-heap.ts');
      const unbound = boundHeap();
      const { keepTickShape } = await import('./compose/process/keep-tick-shape.ts');
      await keepTickShape();
      const { serveSidecar } = await import('./hosts/sidecar/serve.ts');
      return await serveSidecar(start).finally(unbound);
    },
    startMcp: async (start) => (await import('./hosts/mcp/serve-mcp.ts')).serveMcp(start),
    columns: columnsOf(process.stdout),
    program: [process.execPath, ...process.execArgv, ...process.argv.slice(1, 2)],
    onInterrupt(ended) {
      process.once('SIGINT', ended);
      return () => process.removeListener('SIGINT', ended);
    },
  },
);
// Not process.exit(): what is still being written to a pipe would be cut off.
process.exitCode = code;
