import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One folder for everything the tests of a run write, also those that are killed half-way; it is removed at the end. */
export default function useOneTemporaryFolder(): () => void {
  const before = process.env.TMPDIR;
  // What is kept between runs (the browser) stays outside.
  process.env.ISMALICIOUS_KEPT_FOLDER = tmpdir();
  const folder = mkdtempSync(join(tmpdir(), 'ismalicious-tests-'));
  process.env.TMPDIR = folder;
  return () => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
}
