import { appendFileSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Indicator } from '../model/indicator.ts';

const MAX_BYTES = 64 * 1024 * 1024;
const KEPT_FILES = 5;
const FLUSH_MS = 200;

/** What left the house: one JSON line a call (time, provider, indicators), in a file that is only appended to and rotated by size. */
export interface AuditLog {
  record(provider: string, indicators: readonly Indicator[], epochMs: number): void;
  close(): void;
}

export const noAuditLog: AuditLog = { record: () => {}, close: () => {} };

/** Opens the log at `path`. Faults of the disk are told once through `onFault` and never stop a look-up. */
export function openAuditLog(path: string, onFault: (message: string) => void): AuditLog {
  let lines: string[] = [];
  let timer: NodeJS.Timeout | null = null;
  let isBroken = false;
  function flush(): void {
    if (timer) clearTimeout(timer);
    timer = null;
    if (lines.length === 0 || isBroken) return;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      rotate(path);
      appendFileSync(path, lines.join(''), { mode: 0o600 });
    } catch (error) {
      isBroken = true;
      onFault(
        `the audit log ${path} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown'}): what leaves is not recorded`,
      );
    }
    lines = [];
  }
  return {
    record(provider, indicators, epochMs) {
      lines.push(
        `${JSON.stringify({ time: new Date(epochMs).toISOString(), provider, indicators: indicators.map(({ value }) => value) })}\n`,
      );
      timer ??= setTimeout(flush, FLUSH_MS);
    },
    close: flush,
  };
}

function rotate(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size < MAX_BYTES) return;
  rmSync(`${path}.${KEPT_FILES}`, { force: true });
  for (let n = KEPT_FILES - 1; n >= 1; n--)
    if (statSync(`${path}.${n}`, { throwIfNoEntry: false })) renameSync(`${path}.${n}`, `${path}.${n + 1}`);
  renameSync(path, `${path}.1`);
}
