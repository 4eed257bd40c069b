import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where cache, journal and audit log live: ISMALICIOUS_STATE_DIR, else Splunk's var folder under Splunk, else the XDG state folder. */
export function stateFolder(env: Readonly<Record<string, string | undefined>>, isSplunk: boolean): string {
  if (env.ISMALICIOUS_STATE_DIR) return env.ISMALICIOUS_STATE_DIR;
  if (isSplunk && env.SPLUNK_HOME) return join(env.SPLUNK_HOME, 'var', 'lib', 'ismalicious');
  if (env.XDG_STATE_HOME) return join(env.XDG_STATE_HOME, 'ismalicious');
  if (process.platform === 'win32' && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, 'ismalicious');
  if (env.HOME) return join(env.HOME, '.local', 'state', 'ismalicious');
  return join(tmpdir(), `ismalicious-${process.getuid?.() ?? 'state'}`);
}
