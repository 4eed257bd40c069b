import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { openEngine } from '../../../compose/open-engine.ts';
import { inertText } from '../../../model/formats/inert-text.ts';
import { type Command, EXIT, type Io, UsageError } from '../command.ts';
import { probeProviders } from '../../../compose/check/doctor-findings.ts';
import { parseOptions } from '../parse-options.ts';
import { initSynopsis } from '../synopses/set-up.ts';

const FILE = 'ismalicious.yaml';

/** `ismalicious init [FILE]` */
export const init: Command = {
  synopsis: initSynopsis,
  async run(args, io) {
    const { values, words } = parseOptions(args, initSynopsis);
    const path = words[0] ?? FILE;
    if (existsSync(path)) throw new UsageError(`${path} exists already: name another file, or move it away.`);
    const key = await findKey(values['key-file'], io);
    write(path, key);
    io.stdout.write(`${path} is written${key === null ? ', without a key: only local lists answer' : ', readable for you only'}.\n`);
    const isGood = key === null || values.offline === true || (await testKey(path, io));
    io.stdout.write(nextSteps(path));
    return isGood ? EXIT.ok : EXIT.failed;
  },
};

/** From `--key-file`, the environment, or a question on the terminal; `null`: there is none, and only local lists will answer. */
async function findKey(file: string | undefined, io: Io): Promise<string | null> {
  if (file !== undefined) return readKey(file);
  const { ISMALICIOUS_X_API_KEY: ready, ISMALICIOUS_API_KEY: key, ISMALICIOUS_API_SECRET: secret } = io.env;
  if (ready) return ready.trim();
  if (key && secret) return Buffer.from(`${key}:${secret}`).toString('base64');
  if (!('isTTY' in io.stdin) || io.stdin.isTTY !== true) return null;
  const asking = createInterface({ input: io.stdin, output: io.stderr });
  try {
    const typed = await asking.question('isMalicious API key, base64(key:secret), as the dashboard shows it (empty: none yet): ');
    return typed.trim() === '' ? null : checked(typed.trim());
  } finally {
    asking.close();
  }
}

function readKey(path: string): string {
  try {
    return checked(readFileSync(path, 'utf8').trim());
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--key-file: ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

function checked(key: string): string {
  if (/^[\x21-\x7e]+$/.test(key)) return key;
  throw new UsageError('the key has to be one line of printable characters without blanks.');
}

function write(path: string, key: string | null): void {
  try {
    writeFileSync(path, configText(key), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw new UsageError(`${path} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`);
  }
}

/** Asks the providers once. Says what they answered. */
async function testKey(path: string, io: Io): Promise<boolean> {
  const { engine, config } = await openEngine({ env: io.env, configPath: path });
  try {
    const findings = await probeProviders(engine, config, io.env);
    for (const { what, ok, detail } of findings) io.stdout.write(`${ok ? 'ok  ' : 'FAIL'}  ${what}: ${inertText(detail)}\n`);
    return findings.every(({ ok }) => ok);
  } finally {
    await engine.close();
  }
}

function nextSteps(path: string): string {
  return [
    'Next:',
    `  1. export ISMALICIOUS_CONFIG=${path}`,
    '  2. ismalicious check 198.51.100.7      look up a value',
    '  3. ismalicious serve                   answer Logstash, Beats and scripts',
    'See: ismalicious help, docs/settings.md. Splunk: docs/splunk.md. Logstash: docs/logstash.md.',
    '',
  ].join('\n');
}

/** A configuration to begin with. Everything that is commented out stands at its default. */
function configText(key: string | null): string {
  const secret = key === null ? '    # x_api_key: base64(key:secret)' : `    x_api_key: ${JSON.stringify(key)}`;
  return `# Settings of isMalicious for SIEMs. All of them: docs/settings.md. Check this file: ismalicious config check --config FILE
# Keep it readable for yourself only: it may hold keys.

providers:
  # Each provider with a key is asked. All of them: docs/providers.md.
  ismalicious:
${secret}
    # budget_per_day: 1000        # most credits spent in a day; then look-ups end over_budget
${key === null ? '    enabled: false                # set to true when the key is there\n' : ''}  # virustotal:
  #   api_key: ""
  #   per_minute: 4
  # abuseipdb:
  #   api_key: ""

# privacy:
#   own_domains: [corp.example]   # your own names and networks are never sent out
#   own_networks: [203.0.113.0/24]

# local:
#   lists: [/etc/ismalicious/own-indicators.csv]
#   allow_lists: [/etc/ismalicious/never-ask.csv]

# sidecar:                        # ismalicious serve
#   port: 8787

# feeds:                          # ismalicious pipeline run
#   urlhaus: { enabled: true }

# outputs:
#   splunk_hec:
#     enabled: true
#     base_url: https://splunk.corp.example:8088
#     token: ""
`;
}
