import { endShortly } from '../../../compose/process/end-shortly.ts';
import { ignoreTlsSwitch } from '../../../engine/calls/http/tls-switch.ts';
import { endProcess } from '../protocol/end-process.ts';
import { inertText } from '../../../model/formats/inert-text.ts';

// The alert action: splunkd passes its payload as JSON on stdin, and files what comes on stderr in splunkd.log.
const MAX_BYTES = 64 * 1024 * 1024;
const FAILED = 2;

async function readStdin(): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of process.stdin as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_BYTES) throw new Error(`standard input is larger than ${MAX_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

async function run(): Promise<number> {
  const warning = ignoreTlsSwitch();
  if (warning !== null) process.stderr.write(`WARN isMalicious triage: ${warning}\n`);
  const { readAlertPayload } = await import('../../../splunkd/alert/alert-payload.ts');
  const { runTriageAction } = await import('../alert/alert-action.ts');
  const { lines, faults } = await runTriageAction(readAlertPayload(await readStdin()), { program: process.argv[1], env: process.env });
  for (const line of lines) process.stderr.write(`INFO isMalicious triage: ${inertText(line)}\n`);
  for (const fault of faults) process.stderr.write(`ERROR isMalicious triage: ${inertText(fault)}\n`);
  return faults.length === 0 ? 0 : FAILED;
}

endShortly();
void run()
  .catch((error: unknown) => {
    process.stderr.write(`ERROR isMalicious triage: ${inertText(error instanceof Error ? error.message : 'unknown fault')}\n`);
    return FAILED;
  })
  .then(endProcess);
