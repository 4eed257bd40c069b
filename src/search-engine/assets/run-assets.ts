import { EngineRefusal, putAsset, readDeployed, refreshPolicy, removeAsset } from './asset-api.ts';
import type { Asset, Target } from './asset.ts';
import type { EngineClient } from '../engine-client.ts';
import { identify, misfit } from '../engine-identity.ts';
import { assetsForVersion } from './for-version.ts';
import { type InUse, readInUse } from './pipelines-in-use.ts';
import { type PlannedAsset, isOurs, planAssets } from './plan-assets.ts';

/** `refresh` only rebuilds what the enrich processors read: for a timer, Elasticsearch has none of its own. */
export type ElasticAction = 'install' | 'diff' | 'uninstall' | 'refresh';

export interface AssetsCommand {
  readonly action: ElasticAction;
  readonly target: Target;
  /** Says what would be done and does nothing. */
  readonly isDryRun: boolean;
  /** Also the hooks that act on every `logs-*-*` data stream. */
  readonly withHooks: boolean;
}

export interface AssetsSurroundings {
  readonly engine: EngineClient;
  readonly assets: readonly Asset[];
  /** One line of output for people, without the line end. */
  readonly say: (line: string) => void;
}

/** Exit codes of the command line: 0 done or equal, 1 something failed or differs, 2 the target does not fit the engine. */
export type ExitCode = 0 | 1 | 2;

const UNDONE = 'nothing was changed: this was a dry run';

/** Runs `ismalicious elastic …`. Safe to run again at any time: what is there and equal is not touched. */
export async function runAssets(command: AssetsCommand, surroundings: AssetsSurroundings): Promise<ExitCode> {
  const { engine, say } = surroundings;
  const identity = await identify(engine);
  const fault = misfit(command.target, identity);
  if (fault !== null) {
    say(fault);
    return 2;
  }
  say(`${engine.name}: ${identity.distribution} ${identity.version}`);
  return runFitting(command, { ...surroundings, assets: assetsForVersion(surroundings.assets, identity) });
}

async function runFitting(command: AssetsCommand, surroundings: AssetsSurroundings): Promise<ExitCode> {
  switch (command.action) {
    case 'install':
      return install(command, surroundings);
    case 'diff':
      return diff(command, surroundings);
    case 'uninstall':
      return uninstall(command, surroundings);
    case 'refresh':
      return refresh(command, surroundings);
  }
}

async function install(command: AssetsCommand, { engine, assets, say }: AssetsSurroundings): Promise<ExitCode> {
  const planned = await planAssets(engine, assets, command.withHooks);
  const refused: string[] = [];
  const changed: Asset[] = [];
  for (const one of planned) {
    const verb = installVerb(one);
    if (verb !== null) say(lineOf(command.isDryRun ? `would ${verb}` : verb, one));
    if (one.state === 'foreign') refused.push(one.asset.name);
    if (command.isDryRun || (one.state !== 'missing' && one.state !== 'different')) continue;
    const reason = await attempt(() => putAsset(engine, one.asset, one.state === 'missing'));
    if (reason === null) changed.push(one.asset);
    else {
      say(`failed   ${reason}`);
      refused.push(one.asset.name);
    }
  }
  if (changed.some(({ kind }) => kind === 'component_template' || kind === 'index_template'))
    say(
      'note     new mappings hold for new indices: roll over data streams that are already there (POST /NAME/_rollover); where there are none, write to a new index',
    );
  say(refused.length === 0 ? (command.isDryRun ? UNDONE : 'done') : `not done: ${refused.join(', ')}`);
  return refused.length === 0 ? 0 : 1;
}

function installVerb({ state }: PlannedAsset): string | null {
  switch (state) {
    case 'missing':
      return 'create';
    case 'different':
      return 'update';
    case 'foreign':
      return 'leave alone, not ours:';
    case 'kept':
      return 'keep';
    case 'same':
      return 'same';
    case 'not_asked':
      return null;
  }
}

async function diff(command: AssetsCommand, { engine, assets, say }: AssetsSurroundings): Promise<ExitCode> {
  const planned = await planAssets(engine, assets, command.withHooks);
  const differing = planned.filter(({ state }) => state === 'missing' || state === 'different' || state === 'foreign');
  for (const one of differing) {
    say(lineOf(one.state, one));
    for (const path of one.differences) say(`           ${path}`);
  }
  say(differing.length === 0 ? 'no differences' : `${differing.length} of ${planned.length} differ`);
  return differing.length === 0 ? 0 : 1;
}

/**
 * Removes what is ours, last put first. Data, `@custom` assets and what somebody else put under our names stay; so do pipelines that an
 * index still names, without which it would refuse every document, and what such a pipeline asks.
 */
async function uninstall(command: AssetsCommand, { engine, assets, say }: AssetsSurroundings): Promise<ExitCode> {
  const failed: string[] = [];
  const removed = new Set<string>();
  const inUse = await readInUse(engine);
  for (const asset of assets.toReversed()) {
    if (asset.owner === 'user' || (asset.owner === 'hook' && !command.withHooks)) continue;
    const deployed = await readDeployed(engine, asset);
    if (deployed === null) continue;
    const isKept = !isOurs(asset, deployed);
    const users = isKept ? [] : usersOf(asset, inUse, removed);
    if (users.length > 0) {
      say(`keep     ${nameOf(asset)}, which ${users[0]}${users.length > 1 ? ` and ${users.length - 1} more` : ''} cannot do without`);
      failed.push(asset.name);
      continue;
    }
    say(`${isKept ? 'leave alone, not ours:' : command.isDryRun ? 'would remove' : 'remove'} ${nameOf(asset)}`);
    if (isKept) continue;
    const reason = command.isDryRun ? null : await attempt(() => removeAsset(engine, asset));
    if (reason === null) {
      if (asset.kind === 'ingest_pipeline') removed.add(asset.name);
      continue;
    }
    say(`failed   ${reason}`);
    failed.push(asset.name);
  }
  if (command.isDryRun) say(UNDONE);
  else say(failed.length === 0 ? 'done; data streams, indices and @custom assets are still there' : `not done: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
}

function usersOf({ kind, name }: Asset, inUse: InUse, removed: ReadonlySet<string>): readonly string[] {
  if (kind === 'ingest_pipeline') return inUse.pipelines.get(name) ?? [];
  return kind === 'enrich_policy' ? inUse.policyUsers(name, removed) : [];
}

async function refresh(command: AssetsCommand, { engine, assets, say }: AssetsSurroundings): Promise<ExitCode> {
  const policies = assets.filter(({ kind }) => kind === 'enrich_policy');
  if (policies.length === 0) {
    say(`${command.target} has no enrich policies: nothing to refresh`);
    return 0;
  }
  for (const policy of policies) {
    say(`${command.isDryRun ? 'would refresh' : 'refresh'} ${nameOf(policy)}`);
    const reason = command.isDryRun ? null : await attempt(() => refreshPolicy(engine, policy));
    if (reason === null) continue;
    say(`failed   ${reason}`);
    return 1;
  }
  return 0;
}

/** One asset that the engine refuses does not keep the others from being put; `null`: it went well. */
async function attempt(action: () => Promise<void>): Promise<string | null> {
  try {
    await action();
    return null;
  } catch (refusal) {
    if (refusal instanceof EngineRefusal) return refusal.message;
    throw refusal;
  }
}

function lineOf(verb: string, { asset, differences }: PlannedAsset): string {
  return `${verb.padEnd(8)} ${nameOf(asset)}${differences.length === 0 ? '' : ` (${differences.length} differences)`}`;
}

function nameOf({ kind, name }: Asset): string {
  return `${kind.replaceAll('_', ' ')} ${name}`;
}
