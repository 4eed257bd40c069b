// integrations/cortex/lib/: what the analyzer and the responder are made of. Node 18 or newer, no packages.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';

/** What ends a job without a report; the message is for the analyst. */
export class JobError extends Error {}

const SECRET_WORDS = ['key', 'password', 'secret', 'token'];
const NO_JOB = 'There is no input/input.json in the job folder, and nothing on standard input.';

/** Reads the job: `input/input.json` of the folder, or standard input where there is no such file. */
export function readJob(folder) {
  const path = join(folder, 'input', 'input.json');
  const isFolder = existsSync(path);
  const text = isFolder ? readFileSync(path, 'utf8') : process.stdin.isTTY ? '' : readFileSync(0, 'utf8');
  const job = { folder: isFolder ? folder : null, input: {} };
  if (text.trim() === '') return { ...job, fault: NO_JOB };
  try {
    const input = JSON.parse(text);
    if (typeof input !== 'object' || input === null || Array.isArray(input)) return { ...job, fault: 'The job is not a JSON object.' };
    return { ...job, input, fault: null };
  } catch {
    return { ...job, fault: 'The job is not valid JSON.' };
  }
}

/** Refuses a job without a data type, or with a TLP or PAP above what the settings allow. */
export function checkJob(input) {
  if (typeof input.dataType !== 'string') throw new JobError('Missing dataType field');
  const config = input.config ?? {};
  if (config.check_tlp === true && (input.tlp ?? 2) > (config.max_tlp ?? 2)) throw new JobError('TLP is higher than allowed.');
  if (config.check_pap === true && (input.pap ?? 2) > (config.max_pap ?? 2)) throw new JobError('PAP is higher than allowed.');
}

/** Certificates to trust: those of Node, and those that Cortex gives the job. */
export function certificatesOf(folder) {
  const path = folder === null ? null : join(folder, 'input', 'cacerts');
  return path !== null && existsSync(path) ? [...rootCertificates, readFileSync(path, 'utf8')] : undefined;
}

/** Writes what the job came to: `output/output.json`, or standard output where there is no folder. */
export function writeOutput(folder, output) {
  const text = JSON.stringify(output);
  if (folder === null) {
    process.stdout.write(text);
    return;
  }
  mkdirSync(join(folder, 'output'), { recursive: true });
  writeFileSync(join(folder, 'output', 'output.json'), text);
}

/** The output of a job that failed. Secrets of the settings are taken out of the input. */
export function failureOf(input, message) {
  const config = input.config ?? {};
  const isSecret = (name) => SECRET_WORDS.some((word) => name.toLowerCase().includes(word));
  const shown = Object.fromEntries(Object.entries(config).map(([name, value]) => [name, isSecret(name) ? 'REMOVED' : value]));
  return { success: false, input: input.config === undefined ? input : { ...input, config: shown }, errorMessage: message };
}
