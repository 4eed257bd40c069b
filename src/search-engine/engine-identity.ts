import { type EngineAnswer, type EngineClient, memberOf, refusalOf } from './engine-client.ts';
import type { Target } from './assets/asset.ts';

/** What an engine says of itself. */
export interface EngineIdentity {
  readonly distribution: 'elasticsearch' | 'opensearch';
  readonly version: string;
  /** Elastic Cloud Serverless: newer than any version; the number that it gives says nothing. */
  readonly isServerless?: boolean;
}

/** The engine's name and version. Throws with its refusal (wrong key, wrong address) in one line. */
export async function identify(engine: EngineClient): Promise<EngineIdentity> {
  const answer = await engine.call('GET', '/');
  const version = memberOf(memberOf(answer.body, 'version'), 'number');
  if (answer.status !== 200) throw new Error(`${engine.name}: ${hintOf(answer)}`);
  if (typeof version !== 'string') throw new Error(`${engine.name} is neither Elasticsearch nor OpenSearch`);
  const isOpenSearch = memberOf(memberOf(answer.body, 'version'), 'distribution') === 'opensearch';
  const isServerless = memberOf(memberOf(answer.body, 'version'), 'build_flavor') === 'serverless';
  return { distribution: isOpenSearch ? 'opensearch' : 'elasticsearch', version, ...(isServerless && { isServerless }) };
}

function hintOf(answer: EngineAnswer): string {
  const refusal = refusalOf(answer);
  if (answer.status === 401) return `${refusal} (check the API key or the user)`;
  return answer.status === 403 ? `${refusal} (the user needs manage_index_templates, manage_ingest_pipelines and monitor)` : refusal;
}

/** Why the target's assets would not fit the engine, in one line; `null` when they do. */
export function misfit(target: Target, { distribution, version, isServerless = false }: EngineIdentity): string | null {
  if (isServerless) return target === 'elasticsearch' ? null : 'this is Elasticsearch serverless: use --target elasticsearch';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const is = `this is ${distribution} ${version}`;
  if (target === 'opensearch')
    return distribution === 'opensearch' ? null : `${is}: use --target ${major >= 8 ? 'elasticsearch' : 'elasticsearch-oss-7.10'}`;
  if (distribution === 'opensearch') return `${is}: use --target opensearch`;
  if (target === 'elasticsearch') {
    if (major > 8 || (major === 8 && minor >= 14)) return null;
    return major === 8 ? `${is}: 8.14 or newer is needed` : `${is}: use --target elasticsearch-oss-7.10`;
  }
  if (major === 7 && minor >= 10) return null;
  return major >= 8 ? `${is}: use --target elasticsearch` : `${is}: 7.10 or newer is needed`;
}
