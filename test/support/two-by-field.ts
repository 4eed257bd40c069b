import { onTestFinished } from 'vitest';
import { openEngine, type OpenedEngine } from '../../src/compose/open-engine.ts';
import { type FourProviders, type FourReply, startFourProviders } from './four-providers.ts';

/** AbuseIPDB is asked about destinations only. */
export const DESTINATION_ONLY = { ABUSEIPDB_FIELDS: 'destination.*' };
const clean: FourReply = (response) =>
  void response
    .writeHead(200, { 'content-type': 'application/json' })
    .end('{"malicious":false,"riskScore":{"score":2},"confidenceScore":95}');

/** isMalicious clears everything; AbuseIPDB accuses whatever it is asked about. */
export async function openTwo(
  more: Record<string, string>,
): Promise<OpenedEngine & { readonly api: FourProviders; readonly env: Record<string, string> }> {
  const api = await startFourProviders();
  api.replies.ismalicious = clean;
  const env = { ...api.env({ VIRUSTOTAL_ENABLED: 'false', GREYNOISE_ENABLED: 'false', ...more }) };
  const opened = await openEngine({ env });
  onTestFinished(async () => {
    await opened.engine.close();
    await api[Symbol.asyncDispose]();
  });
  return { ...opened, api, env };
}

/** An event with one address or two. */
export const eventOf = (source: string, destination?: string) => ({
  source: { ip: source },
  ...(destination !== undefined && { destination: { ip: destination } }),
});

/** What hosts write into an event. */
export interface Written {
  readonly ismalicious: { readonly verdict: string; readonly field?: string };
  readonly threat?: { readonly enrichments: readonly { readonly matched: { readonly field: string } }[] };
}

/** Fields of the entries of `threat.enrichments`. */
export const matchedIn = ({ threat }: Written) => (threat?.enrichments ?? []).map(({ matched }) => matched.field);
