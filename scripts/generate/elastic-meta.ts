/** What marks an asset as ours, so that an update or uninstall never touches somebody else's. */
import type { Target } from '../../src/search-engine/assets/asset.ts';

/** Goes up with every change of an asset. */
export const ASSET_VERSION = 4;

/** Indicator documents carry verdicts, too, and are no events: whatever counts events leaves them out (KQL). */
export const NO_INDICATORS = 'not event.module : "ti_ismalicious" and not event.kind : "enrichment"';

/** `_meta` of a template or transform. */
export function meta(about: string, target: Target): Record<string, unknown> {
  return { managed_by: 'ismalicious', description: about, target };
}

/** The description of a pipeline: engines before Elasticsearch 8 know no `_meta` there. */
export function describePipeline(about: string): string {
  return `isMalicious: ${about}`;
}
