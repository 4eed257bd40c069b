import { closeSync, fstatSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Indicator } from '../../model/indicator.ts';
import { builtinModule } from '../../disk/builtin-module.ts';
import { makePrivateFile, makePrivateFolder } from '../../disk/private-files.ts';

const MAX_BYTES = 64 * 1024 * 1024;
/** Older files beside the newest one, `.1` the youngest of them. */
export const KEPT_FILES = 5;
/** How soon a file that cannot be written is tried again, and how often it is looked whether it is still the same. */
const RETRY_MS = 1000;
/** Lines that wait for a file that cannot be written; what comes after them is lost, and counted. */
const MAX_WAITING = 1000;
const RUN_BYTES = 6;

/** How the log fares. */
export interface AuditHealth {
  /** Why what leaves is not recorded; `null`: it is. */
  readonly fault: string | null;
  /** Calls that left and are in no file. */
  readonly lost: number;
}

/** What left the house: one JSON line a call (time, provider, indicators), in a file that is only appended to and rotated by size. */
export interface AuditLog {
  /** Writes the line before the call is made. False: it is in no file, and the log is required, so nothing may leave. */
  record(provider: string, indicators: readonly Indicator[], epochMs: number): boolean;
  /** Why nothing may leave at the moment; `null`: nothing against it. */
  refusal(): string | null;
  health(): AuditHealth;
  close(): void;
}

/** Where nothing is recorded, as configured. */
export const noAuditLog: AuditLog = {
  record: () => true,
  refusal: () => null,
  health: () => ({ fault: null, lost: 0 }),
  close: () => {},
};

/** Who makes the calls of this process. */
export interface AuditOrigin {
  /** The host program: cli, sidecar, splunk, … */
  readonly program: string;
  /** Who runs it, as far as the host knows. */
  readonly user?: string | null | undefined;
  /** The search (or alert) it runs for. */
  readonly search?: string | null | undefined;
}

interface AuditOptions {
  readonly path: string;
  /** Whether nothing may leave that cannot be recorded. */
  readonly isRequired: boolean;
  /** Said in every line, with a number of this run and a fingerprint of its settings; left out: none of it. */
  readonly origin?: AuditOrigin;
  /** Stands for the settings in force, without their secrets. */
  readonly settings?: () => string;
  /** Told once when the file cannot be written, and once more each time after it could be again. */
  readonly onFault: (message: string) => void;
  /** Milliseconds that only grow. */
  readonly nowMs: () => number;
}

/** Opens the log; its file is made with the first line. */
export function openAuditLog({ path, isRequired, onFault, nowMs, origin, settings }: AuditOptions): AuditLog {
  let file: OpenedFile | null = null;
  let lookAtMs = 0;
  let retryAtMs = 0;
  let fault: string | null = null;
  let waiting: string[] = [];
  let lost = 0;
  // Made with the first line: most searches send nothing.
  let told: object | null = null;

  /** The file to write to: another one after it was moved, deleted or has grown too long. Throws what the disk says. */
  function current(): OpenedFile {
    const now = nowMs();
    if (file !== null && now < lookAtMs && file.bytes < MAX_BYTES) return file;
    if (file !== null) closeSync(file.descriptor);
    file = null;
    lookAtMs = now + RETRY_MS;
    return (file = openFile(path));
  }
  function write(text: string): boolean {
    if (fault !== null && nowMs() < retryAtMs) return false;
    try {
      // After a fault: what a full disk took of a line ends here, and whether the file can be written again shows.
      append(current(), (fault === null ? '' : '\n') + waiting.join('') + text);
      waiting = [];
      fault = null;
      return true;
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
      const consequence = isRequired ? 'nothing is sent to any provider (privacy.audit: required)' : 'what leaves is not recorded';
      const isNew = fault === null;
      fault = `the audit log ${path} cannot be written (${reason}): ${consequence}`;
      retryAtMs = nowMs() + RETRY_MS;
      if (isNew) onFault(fault);
      return false;
    }
  }
  return {
    record(provider, indicators, epochMs) {
      const values = indicators.map(({ value }) => value);
      const line = `${JSON.stringify({ time: new Date(epochMs).toISOString(), provider, indicators: values, ...(told ??= originOf(origin, settings)) })}\n`;
      if (write(line)) return true;
      if (isRequired) return false;
      if (waiting.length < MAX_WAITING) waiting.push(line);
      else lost++;
      return true;
    },
    refusal() {
      if (!isRequired || write('')) return null;
      return fault;
    },
    health: () => ({ fault, lost: lost + waiting.length }),
    close() {
      if (waiting.length > 0) {
        retryAtMs = 0;
        write('');
      }
      if (file !== null) closeSync(file.descriptor);
      file = null;
    },
  };
}

function originOf(origin: AuditOrigin | undefined, settings: (() => string) | undefined): object {
  if (origin === undefined) return {};
  const { program, user, search } = origin;
  return {
    program,
    ...(user ? { user } : {}),
    ...(search ? { search } : {}),
    run: builtinModule('node:crypto').randomBytes(RUN_BYTES).toString('hex'),
    ...(settings === undefined ? {} : { settings: settings() }),
  };
}

interface OpenedFile {
  readonly descriptor: number;
  bytes: number;
}

function openFile(path: string): OpenedFile {
  makePrivateFolder(dirname(path));
  rotate(path);
  makePrivateFile(path);
  const descriptor = openSync(path, 'a', 0o600);
  return { descriptor, bytes: fstatSync(descriptor).size };
}

function append(file: OpenedFile, text: string): void {
  if (text === '') return;
  const bytes = Buffer.from(text);
  const written = writeSync(file.descriptor, bytes);
  file.bytes += written;
  if (written < bytes.length) throw Object.assign(new Error('the disk took a part only'), { code: 'ENOSPC' });
}

function rotate(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size < MAX_BYTES) return;
  rmSync(`${path}.${KEPT_FILES}`, { force: true });
  for (let n = KEPT_FILES - 1; n >= 1; n--)
    if (statSync(`${path}.${n}`, { throwIfNoEntry: false })) renameSync(`${path}.${n}`, `${path}.${n + 1}`);
  renameSync(path, `${path}.1`);
}
