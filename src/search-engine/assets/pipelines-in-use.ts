import { EngineRefusal } from './asset-api.ts';
import type { Asset } from './asset.ts';
import { type EngineClient, memberOf, refusalOf } from '../engine-client.ts';

const SETTINGS = ['index.default_pipeline', 'index.final_pipeline'] as const;

/** Ingest pipelines that indices, those of data streams too, send their documents through, each with the names of such indices. */
export async function pipelinesInUse(engine: EngineClient, assets: readonly Asset[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const answer = await engine.call('GET', `/_all/_settings/${SETTINGS.join(',')}?expand_wildcards=all&flat_settings=true`);
  if (answer.status !== 200) throw new EngineRefusal(`which pipelines are in use cannot be read: ${refusalOf(answer)}`);
  const users = new Map<string, string[]>();
  for (const [index, { settings }] of Object.entries(answer.body as Record<string, { settings?: unknown }>)) {
    for (const name of SETTINGS) {
      const pipeline = memberOf(settings, name);
      if (typeof pipeline === 'string') addUse(users, assets, { pipeline, index });
    }
  }
  return users;
}

/** Also of the pipelines that it calls. */
function addUse(users: Map<string, string[]>, assets: readonly Asset[], { pipeline, index }: { pipeline: string; index: string }): void {
  const known = users.get(pipeline) ?? [];
  if (known.includes(index)) return;
  users.set(pipeline, [...known, index]);
  const processors = assets.find(({ kind, name }) => kind === 'ingest_pipeline' && name === pipeline)?.body.processors;
  for (const processor of Array.isArray(processors) ? (processors as unknown[]) : []) {
    const called = memberOf(memberOf(processor, 'pipeline'), 'name');
    if (typeof called === 'string') addUse(users, assets, { pipeline: called, index });
  }
}
