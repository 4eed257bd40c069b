import { endShortly } from '../../../compose/process/end-shortly.ts';
import { ignoreTlsSwitch } from '../../../engine/calls/http/tls-switch.ts';
import { localSplunkd, readAppConf } from '../../../splunkd/app-conf.ts';
import { StandardInput } from '../protocol/standard-streams.ts';
import { endProcess } from '../protocol/end-process.ts';
import { CONF_FILE, refreshKeys } from '../../../splunkd/credentials.ts';
import { inertText } from '../../../model/formats/inert-text.ts';

// The app's scripted input: splunkd passes it a session key of its own on stdin (`passAuth`), so that searches of users who may not read
// secrets find them sealed. Says nothing when all is well.
const MAX_KEY_BYTES = 8192;

async function run(): Promise<number> {
  const warning = ignoreTlsSwitch();
  if (warning !== null) process.stderr.write(`WARN isMalicious: ${warning}\n`);
  const sessionKey = await readSessionKey();
  if (sessionKey === '') throw new Error('no session key on standard input: the input needs passAuth = splunk-system-user');
  const place = { program: process.argv[1], env: process.env };
  const session = { uri: localSplunkd(process.env), sessionKey };
  await refreshKeys(session, readAppConf(CONF_FILE, place), { ...place, nowS: Math.trunc(Date.now() / 1000) });
  return 0;
}

async function readSessionKey(): Promise<string> {
  const input = new StandardInput();
  const bytes = Buffer.alloc(MAX_KEY_BYTES);
  let end = 0;
  for (let count = -1; count !== 0 && end < bytes.length && !bytes.subarray(0, end).includes(10); end += count)
    count = await input.read(bytes, end, bytes.length - end);
  return (bytes.toString('utf8', 0, end).split('\n')[0] ?? '').trim().replace(/^sessionKey=/, '');
}

endShortly();
void run()
  .catch((error: unknown) => {
    process.stderr.write(`isMalicious: ${inertText(error instanceof Error ? error.message : 'unknown fault')}\n`);
    return 1;
  })
  .then(endProcess);
