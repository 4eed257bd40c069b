import { readDeployed } from './asset-api.ts';
import type { Asset } from './asset.ts';
import { differences } from './asset-difference.ts';
import { type EngineClient, memberOf } from '../engine-client.ts';

/**
 * What is to be done with one asset. `foreign`: something that is not ours stands under the name; it is left alone.
 * `kept`: it belongs to the user, who may have changed it. `not_asked`: a hook that was not asked for.
 */
export type AssetState = 'missing' | 'same' | 'different' | 'foreign' | 'kept' | 'not_asked';

export interface PlannedAsset {
  readonly asset: Asset;
  readonly state: AssetState;
  /** Dotted paths, when `different`. */
  readonly differences: readonly string[];
}

/** Compares every asset with what the engine holds. Reads only. */
export async function planAssets(engine: EngineClient, assets: readonly Asset[], withHooks: boolean): Promise<PlannedAsset[]> {
  const planned: PlannedAsset[] = [];
  for (const asset of assets) planned.push(await planAsset(engine, asset, withHooks));
  return planned;
}

async function planAsset(engine: EngineClient, asset: Asset, withHooks: boolean): Promise<PlannedAsset> {
  const deployed = await readDeployed(engine, asset);
  if (deployed === null) return { asset, state: asset.owner === 'hook' && !withHooks ? 'not_asked' : 'missing', differences: [] };
  if (asset.owner === 'hook' && !isOurs(asset, deployed)) return { asset, state: withHooks ? 'foreign' : 'not_asked', differences: [] };
  if (asset.owner !== 'pack') return { asset, state: 'kept', differences: [] };
  if (!isOurs(asset, deployed)) return { asset, state: 'foreign', differences: [] };
  const found = differences(asset.body, deployed, ['mappings', 'processors', 'on_failure']);
  return { asset, state: found.length === 0 ? 'same' : 'different', differences: found };
}

/** Ours carry a mark: `_meta`, or the first words of a pipeline's description. A policy has room for neither, only a name. */
export function isOurs(asset: Asset, deployed: Record<string, unknown>): boolean {
  switch (asset.kind) {
    case 'ingest_pipeline':
      return String(deployed.description ?? '').startsWith('isMalicious:');
    case 'index':
    case 'enrich_policy':
      return true;
    default:
      return memberOf(deployed._meta, 'managed_by') === 'ismalicious';
  }
}
