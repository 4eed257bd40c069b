import { type EngineAnswer, type EngineClient, memberOf, refusalOf } from '../engine-client.ts';
import type { Asset, AssetKind } from './asset.ts';

/** A refusal of the engine, in one line. */
export class EngineRefusal extends Error {
  override readonly name = 'EngineRefusal';
}

const PATHS = {
  component_template: '/_component_template/',
  index_template: '/_index_template/',
  ingest_pipeline: '/_ingest/pipeline/',
  index: '/',
  transform: '/_transform/',
  enrich_policy: '/_enrich/policy/',
} as const satisfies Record<AssetKind, string>;

function pathOf({ kind, name }: Pick<Asset, 'kind' | 'name'>): string {
  return `${PATHS[kind]}${encodeURIComponent(name)}`;
}

/** What the engine holds under the asset's name, in the shape it was put; `null` when there is nothing. */
export async function readDeployed(engine: EngineClient, asset: Asset): Promise<Record<string, unknown> | null> {
  if (asset.kind === 'index') return readIndex(engine, asset);
  const answer = await engine.call('GET', pathOf(asset));
  if (answer.status === 404) return null;
  const found = asObject(unwrap(asset, accept(asset, answer)));
  return found;
}

async function readIndex(engine: EngineClient, asset: Asset): Promise<Record<string, unknown> | null> {
  const answer = await engine.call('GET', `${pathOf(asset)}/_alias`);
  if (answer.status === 404) return null;
  return asObject(memberOf(accept(asset, answer), asset.name));
}

/** Engines wrap what they hold: a list with names, a map by name, a policy under `config`. */
function unwrap({ kind, name }: Asset, body: unknown): unknown {
  switch (kind) {
    case 'component_template':
      return memberOf(named(memberOf(body, 'component_templates'), name), 'component_template');
    case 'index_template':
      return memberOf(named(memberOf(body, 'index_templates'), name), 'index_template');
    case 'ingest_pipeline':
      return memberOf(body, name);
    case 'transform':
      return first(memberOf(body, 'transforms'));
    case 'enrich_policy':
      return policyOf(memberOf(first(memberOf(body, 'policies')), 'config'));
    default:
      return null;
  }
}

/** The engine adds the policy's name to its content. */
function policyOf(config: unknown): unknown {
  const match = memberOf(config, 'match');
  if (typeof match !== 'object' || match === null) return null;
  return { match: Object.fromEntries(Object.entries(match).filter(([name]) => name !== 'name')) };
}

function named(list: unknown, name: string): unknown {
  return Array.isArray(list) ? list.find((one) => memberOf(one, 'name') === name) : null;
}

function first(list: unknown): unknown {
  return Array.isArray(list) ? list[0] : null;
}

function asObject(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
}

/** Puts an asset. `isNew`: nothing stands under its name yet. */
export async function putAsset(engine: EngineClient, asset: Asset, isNew: boolean): Promise<void> {
  if (asset.kind === 'transform') return putTransform(engine, asset, isNew);
  if (asset.kind === 'enrich_policy') return putPolicy(engine, asset, isNew);
  accept(asset, await engine.call('PUT', pathOf(asset), asset.body));
}

/** A running transform cannot be changed: it is stopped, removed and put anew; its destination stays. */
async function putTransform(engine: EngineClient, asset: Asset, isNew: boolean): Promise<void> {
  if (!isNew) await removeAsset(engine, asset);
  // Its source may not exist yet: the stream begins with the first indicator.
  accept(asset, await engine.call('PUT', `${pathOf(asset)}?defer_validation=true`, asset.body));
  accept(asset, await engine.call('POST', `${pathOf(asset)}/_start`));
}

async function putPolicy(engine: EngineClient, asset: Asset, isNew: boolean): Promise<void> {
  if (!isNew)
    throw new EngineRefusal('an enrich policy cannot be changed: remove the pipelines that use it and the policy, then install again');
  accept(asset, await engine.call('PUT', pathOf(asset), asset.body));
  await refreshPolicy(engine, asset);
}

/** Rebuilds the snapshot that the enrich processors read. Until the next time they know nothing newer. */
export async function refreshPolicy(engine: EngineClient, asset: Pick<Asset, 'kind' | 'name'>): Promise<void> {
  accept(asset, await engine.call('POST', `${pathOf(asset)}/_execute?wait_for_completion=true`));
}

/** Removes an asset; one that is not there is no fault. */
export async function removeAsset(engine: EngineClient, asset: Asset): Promise<void> {
  if (asset.kind === 'transform') {
    const stopped = await engine.call('POST', `${pathOf(asset)}/_stop?force=true&wait_for_completion=true`);
    if (stopped.status !== 404) accept(asset, stopped);
  }
  const removed = await engine.call('DELETE', pathOf(asset));
  if (removed.status !== 404) accept(asset, removed);
}

function accept({ kind, name }: Pick<Asset, 'kind' | 'name'>, answer: EngineAnswer): unknown {
  if (answer.status >= 200 && answer.status < 300) return answer.body;
  throw new EngineRefusal(`${kind.replaceAll('_', ' ')} ${name}: ${refusalOf(answer)}`);
}
