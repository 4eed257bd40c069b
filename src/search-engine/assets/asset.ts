// src/search-engine/assets/: templates, pipelines, rules and dashboards: compared, installed, removed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TARGETS } from './targets.ts';
import * as z from 'zod/mini';

export { TARGETS };

export type Target = (typeof TARGETS)[number];

/** What can be put into an engine, in the order it has to be put: each kind may name those before it. */
export const ASSET_KINDS = ['component_template', 'ingest_pipeline', 'index_template', 'index', 'transform', 'enrich_policy'] as const;

export type AssetKind = (typeof ASSET_KINDS)[number];

const Manifest = z.object({
  target: z.enum(TARGETS),
  version: z.int(),
  assets: z.array(
    z.object({
      kind: z.enum(ASSET_KINDS),
      name: z.string(),
      file: z.string(),
      /**
       * `pack`: kept equal to the file. `user`: put once when absent, never changed nor removed again (`@custom` hooks, the
       * index that holds data). `hook`: like `user`, and put only when asked for, since it acts on data streams that are not ours.
       */
      owner: z.enum(['pack', 'user', 'hook']),
    }),
  ),
});

/** One thing to put into an engine. */
export interface Asset {
  readonly kind: AssetKind;
  readonly name: string;
  readonly owner: 'pack' | 'user' | 'hook';
  readonly body: Readonly<Record<string, unknown>>;
}

/** The assets of one target in the order they are put. `folder`: where `elastic/` lies. */
export function readAssets(folder: string, target: Target): Asset[] {
  const home = join(folder, target);
  const manifest = z.parse(Manifest, readJson(join(home, 'manifest.json')));
  return manifest.assets.map(({ kind, name, file, owner }) => ({
    kind,
    name,
    owner,
    body: z.parse(z.record(z.string(), z.unknown()), readJson(join(home, file))),
  }));
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8')) as unknown;
}
