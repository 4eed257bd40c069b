import { readSources, type SourceOptions } from '../config-sources.ts';
import type { LoadedConfig } from '../engine-config.ts';
import { pipelineTransports } from '../pipeline-transports.ts';
import { certificateFault } from '../../config/client-certificate-settings.ts';
import { type ClientCertificate, readClientCertificate } from '../../engine/calls/http/client-certificate.ts';
import { readCaFile } from '../../pipeline/delivery/output-sender.ts';
import { loadPipelineConfig } from '../../pipeline/open-pipeline.ts';
import type { Finding } from './doctor-findings.ts';

/** A server that feeds, outputs or the gateway talk to. */
interface Target {
  readonly id: string;
  readonly baseUrl: string;
  readonly proxy?: string | undefined;
  readonly caFile?: string | undefined;
  readonly client?: ClientCertificate | null;
}

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1 << 20;

/** Whether feeds, outputs (Splunk among them) and the search engine can be reached: any HTTP answer will do, for nothing is sent there. */
export async function probeTargets({ blocks }: LoadedConfig, options: SourceOptions): Promise<Finding[]> {
  const targets = [...pipelineTargets(await readSources(options)), ...engineTargets(blocks.gateway?.values.upstream, options.env)];
  return await Promise.all(targets.map((target) => probe(target, options.env)));
}

function pipelineTargets(sources: Awaited<ReturnType<typeof readSources>>): Target[] {
  const { feeds, outputs } = loadPipelineConfig(sources);
  const named = [
    ...Object.entries(feeds).map(([id, own]) => [`feed ${id}`, `feeds.${id}`, own] as const),
    ...Object.entries(outputs).map(([id, own]) => [`output ${id}`, `outputs.${id}`, own] as const),
  ];
  return named.flatMap(([id, block, own]) => {
    const url = own['baseUrl'];
    if (typeof url !== 'string' || !/^https?:/.test(url)) return [];
    return [{ id, baseUrl: url, proxy: own.proxy, caFile: own.caFile, client: readClientCertificate(own, certificateFault(block)) }];
  });
}

function engineTargets(upstream: unknown, env: SourceOptions['env']): Target[] {
  const url = env.ISMALICIOUS_ELASTIC_URL;
  return [
    ...(typeof upstream === 'string' ? [{ id: 'gateway.upstream', baseUrl: upstream }] : []),
    ...(url && URL.canParse(url) ? [{ id: 'search engine', baseUrl: url }] : []),
  ];
}

async function probe({ id, baseUrl, proxy = undefined, caFile, client = null }: Target, env: SourceOptions['env']): Promise<Finding> {
  const { origin } = new URL(baseUrl);
  const transport = pipelineTransports(env)({ id, baseUrl, proxy: proxy ?? null, ca: await readCaFile(caFile), client });
  try {
    const { status } = await transport.send({ url: new URL(baseUrl) }, { timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES });
    return { what: id, ok: status < 500, detail: `${origin} answers (HTTP ${status})` };
  } catch (error) {
    return { what: id, ok: false, detail: `${origin}: ${error instanceof Error ? error.message : 'no answer'}` };
  } finally {
    await transport.close();
  }
}
