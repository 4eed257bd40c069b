import type { EngineIdentity } from '../engine-identity.ts';
import type { Asset } from './asset.ts';

type Version = readonly [major: number, minor: number];

/** Members of a mapping that engines before this version refuse. */
const SINCE: readonly (readonly [name: string, since: Version])[] = [['synthetic_source_keep', [8, 16]]];

/** The assets without what this version of Elasticsearch does not know yet. */
export function assetsForVersion(assets: readonly Asset[], identity: EngineIdentity): readonly Asset[] {
  const unknown = new Set(SINCE.filter(([, since]) => isOlder(identity, since)).map(([name]) => name));
  if (unknown.size === 0) return assets;
  return assets.map((asset) => ({ ...asset, body: without(asset.body, unknown) as Asset['body'] }));
}

function isOlder({ version, isServerless }: EngineIdentity, since: Version): boolean {
  if (isServerless) return false;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < since[0] || (major === since[0] && minor < since[1]);
}

function without(value: unknown, names: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((one) => without(one, names));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([name]) => !names.has(name));
  return Object.fromEntries(members.map(([name, one]) => [name, without(one, names)]));
}
