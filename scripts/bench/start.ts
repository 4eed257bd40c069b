// What a short command costs, the launcher included: `ismalicious` as people type it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Print } from './figure.ts';
import { startProgram, withServers } from './gateway-processes.ts';
import { rounded } from './median.ts';

const ROUNDS = 15;
const ROOT = dirname(dirname(import.meta.dirname));
const KNOWN = '203.0.114.7';
const COMMANDS = [['--version'], ['help'], ['enrich', '--help'], ['completion', 'bash'], ['check', KNOWN]] as const;
/** Runs the program so often, and prints what the shell's children took: the second line of `times` (POSIX). */
const MANY_TIMES = `n=0; while [ $n -lt ${ROUNDS} ]; do "$0" "$@" >/dev/null 2>&1 || echo failed; n=$((n + 1)); done; times`;

/** CPU and time of commands that answer at once, and of a value that the cache knows. */
export async function run(print: Print): Promise<void> {
  if (!existsSync(join(ROOT, 'dist/cli.js'))) throw new Error('start: the program is not built: npm run build');
  await withServers(async (folder, keep) => {
    const api = keep(await startProgram('api-program.ts', '0'));
    const env = {
      ...process.env,
      ISMALICIOUS_STATE_DIR: join(folder, 'state'),
      ISMALICIOUS_BASE_URL: `http://127.0.0.1:${api.port}`,
      ISMALICIOUS_X_API_KEY: Buffer.from('bench:bench').toString('base64'),
    };
    // Pays for the value.
    costOf(['check', KNOWN], env);
    for (const args of COMMANDS) {
      const { cpuS, tookS } = costOf(args, env);
      print({ name: `${args.join(' ')}: CPU`, value: rounded(cpuS), unit: 's' });
      print({ name: `${args.join(' ')}: until it ends`, value: rounded(tookS), unit: 's' });
    }
  });
}

function costOf(args: readonly string[], env: NodeJS.ProcessEnv): { readonly cpuS: number; readonly tookS: number } {
  const startedMs = performance.now();
  const { stdout } = spawnSync('sh', ['-c', MANY_TIMES, join(ROOT, 'ismalicious'), ...args], { env, encoding: 'utf8' });
  const tookS = (performance.now() - startedMs) / 1000 / ROUNDS;
  const lines = stdout.trim().split('\n');
  if (lines[0]?.startsWith('failed') === true) throw new Error(`ismalicious ${args.join(' ')} failed`);
  const cpuS = [...(lines.at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, m, s]) => sum + Number(m) * 60 + Number(s), 0);
  return { cpuS: cpuS / ROUNDS, tookS };
}
