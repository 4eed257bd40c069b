import type { Enricher } from '../../engine/enricher.ts';
import { providers as known } from '../../providers/registry.ts';
import { openEngine } from '../compose/open-engine.ts';
import { UsageError } from './command-options.ts';

/** Opens the engine as configured, for a search that asks `wanted` (`null`: everybody). Throws `UsageError` for a provider it cannot ask. */
export async function openSearchEngine(wanted: readonly string[] | null): Promise<{ engine: Enricher; warnings: readonly string[] }> {
  const ids = ['local', ...known.map(({ id }) => id)];
  const unknown = wanted?.filter((id) => !ids.includes(id)) ?? [];
  if (unknown.length > 0)
    throw new UsageError(`isMalicious: providers="${unknown.join(',')}" is not known; the providers are ${ids.join(', ')}.`);
  const { engine, config, warnings } = await openEngine({ env: process.env, isSplunk: true });
  const configured = ['local', ...config.wanted.map(({ provider }) => provider.id)];
  const missing = wanted?.filter((id) => !configured.includes(id)) ?? [];
  if (missing.length === 0) return { engine, warnings };
  await engine.close();
  throw new UsageError(
    `isMalicious: providers="${missing.join(',')}" has no key yet; configured are ${configured.join(', ')}. Set its key, or leave it out.`,
  );
}
