// test/integrations/support/: what the artefacts under integrations/ are run against and with.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerResponse } from 'node:http';
import { projectRoot } from '../../support/fixtures.ts';
import { accuse, FOUR, type FourProviders, type FourReply, startFourProviders } from '../../support/four-providers.ts';

const PROGRAM = join(projectRoot, 'src/main.ts');

/** What callers send to it. */
export const TOKEN = 'token-of-the-sidecar';

/** Values by what the four sources say of them. */
export const VALUES = {
  /** All four accuse it. */
  malicious: '11.0.0.1',
  /** VirusTotal fails, the others accuse it. */
  partial: '11.0.0.2',
  /** All four know it as harmless. */
  clean: '11.0.0.3',
  /** No source has ever seen it. */
  unknown: '11.0.0.4',
  /** Every source fails. */
  failed: '11.0.0.5',
  /** VirusTotal fails, the others know it as harmless: not to be read as clean. */
  partlyClean: '11.0.0.6',
} as const;

/** A sidecar in a process of its own, before four stand-ins. */
export interface SidecarProcess extends AsyncDisposable {
  readonly url: string;
  readonly four: FourProviders;
  /** Calls it with its token. */
  call(path: string, body?: unknown): Promise<unknown>;
}

const json = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) =>
  void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

const clear: FourReply = (response, value, id) => {
  if (id === 'ismalicious')
    json(response, 200, { malicious: false, riskScore: { score: 0 }, confidenceScore: 95, categories: [], sources: [] });
  else if (id === 'virustotal')
    json(response, 200, {
      data: {
        id: value,
        type: 'ip_address',
        attributes: { last_analysis_stats: { malicious: 0, suspicious: 0, undetected: 20, harmless: 70 } },
      },
    });
  else if (id === 'abuseipdb')
    json(response, 200, {
      data: { ipAddress: value, abuseConfidenceScore: 0, totalReports: 0, lastReportedAt: null, isWhitelisted: true },
    });
  else json(response, 200, { ip: value, noise: false, riot: true, classification: 'benign', last_seen: '2026-11-20' });
};

const unheard: FourReply = (response, value, id) => {
  if (id === 'ismalicious') json(response, 200, {});
  else if (id === 'virustotal') json(response, 404, { error: { code: 'NotFoundError', message: 'not found' } });
  else if (id === 'abuseipdb')
    json(response, 200, {
      data: { ipAddress: value, abuseConfidenceScore: 0, totalReports: 0, lastReportedAt: null, isWhitelisted: false },
    });
  else json(response, 404, { ip: value, noise: false, riot: false, message: 'IP not observed scanning the internet' });
};

/** No answer at all, about this value only: an outage or a limit would hold for the values after it too. */
const nonsense: FourReply = (response) => json(response, 200, { weather: 'fine' });

const answerByValue: FourReply = (response, value, id) => {
  const isHalf = value === VALUES.partial || value === VALUES.partlyClean;
  if (value === VALUES.failed || (isHalf && id === 'virustotal')) nonsense(response, value, id);
  else if (value === VALUES.clean || value === VALUES.partlyClean) clear(response, value, id);
  else if (value === VALUES.unknown) unheard(response, value, id);
  else accuse(response, value, id);
};

/** Refuses for an hour, as VirusTotal does with its free limit of four calls a minute. */
const limited: FourReply = (response) =>
  json(response, 429, { error: { code: 'QuotaExceededError', message: 'Quota exceeded' } }, { 'retry-after': '3600' });

/** Starts it. A file of tests shares one: `afterAll` ends it. `isLimited`: VirusTotal answers 429 to all. */
async function startSidecarProcess({ isLimited = false } = {}): Promise<SidecarProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'ismalicious-integration-'));
  const four = await startFourProviders();
  for (const id of FOUR) four.replies[id] = isLimited && id === 'virustotal' ? limited : answerByValue;
  const env = {
    PATH: process.env.PATH ?? '',
    ...four.env({
      ISMALICIOUS_STATE_DIR: folder,
      ISMALICIOUS_SIDECAR_TOKEN: TOKEN,
      ISMALICIOUS_SIDECAR_PIPELINE_STORE: 'always',
    }),
  };
  const child = spawn(process.execPath, [PROGRAM, 'serve', '--port', '0'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const end = async () => {
    child.kill('SIGKILL');
    await four[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  };
  const port = await new Promise<string>((resolve, reject) => {
    let words = '';
    const hear = (part: Buffer) => {
      words += part.toString();
      const found = /listening (\d+)/.exec(words)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', (code) => reject(new Error(`the sidecar ended with ${code}: ${words}`)));
  });
  const url = `http://127.0.0.1:${port}`;
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  const call = async (path: string, body?: unknown) => {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    return (await (await fetch(url + path, { headers, ...init })).json()) as unknown;
  };
  return { url, four, call, [Symbol.asyncDispose]: end };
}

/** One sidecar whose sources are well, and one whose VirusTotal answers 429 to all. */
export function startBoth(): Promise<[SidecarProcess, SidecarProcess]> {
  return Promise.all([startSidecarProcess(), startSidecarProcess({ isLimited: true })]);
}
