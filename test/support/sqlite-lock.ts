import { type ChildProcess, spawn } from 'node:child_process';

/** Another process that holds the write lock of a database; `exclusive`: readers wait as well. Ends with `free`. */
export async function lockFromOutside(path: string, kind: 'immediate' | 'exclusive' = 'immediate'): Promise<{ free(): Promise<void> }> {
  const code = `
    const { DatabaseSync } = require('node:sqlite');
    const db = new DatabaseSync(process.argv[1]);
    db.exec("PRAGMA busy_timeout = 10000; PRAGMA locking_mode = ${kind === 'exclusive' ? 'EXCLUSIVE' : 'NORMAL'}; BEGIN ${kind.toUpperCase()}; CREATE TABLE IF NOT EXISTS held (n)");
    process.stdout.write('held');
    setInterval(() => {}, 1000);`;
  const child: ChildProcess = spawn(process.execPath, ['-e', code, path], { stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once('data', () => resolve());
    child.once('exit', () => reject(new Error('the lock could not be taken')));
  });
  return {
    async free() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}
