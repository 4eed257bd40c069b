/**
 * Writes `elastic/`: one source, three targets. `node scripts/generate/elastic-assets.ts` writes, `--check` only tells what is
 * stale (exit 1). Whoever changes a mapping, pipeline, rule or dashboard changes its generator and runs this.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ASSET_KINDS, TARGETS, type Asset, type Target } from '../../src/search-engine/assets/asset.ts';
import { ASSET_VERSION } from './elastic-meta.ts';
import { dashboardFiles } from './elastic-dashboards.ts';
import { pipelineAssets } from './elastic-pipelines.ts';
import { ruleFiles } from './elastic-rules.ts';
import { enrichPolicy, latestIndex, latestTransform } from './elastic-streams.ts';
import { templateAssets } from './elastic-templates.ts';

const FOLDERS = {
  component_template: 'component-templates',
  ingest_pipeline: 'ingest-pipelines',
  index_template: 'index-templates',
  index: 'indices',
  transform: 'transforms',
  enrich_policy: 'enrich-policies',
} as const;

/** Everything that goes into one target's engine, in the order it is put. */
export function assetsOf(target: Target): Asset[] {
  const all = [
    ...templateAssets(target),
    ...pipelineAssets(target),
    ...(target === 'elasticsearch' ? [latestIndex(), latestTransform(), enrichPolicy()] : []),
  ];
  return inOrder(all);
}

/** Pipelines that ask an enrich policy can only be put after it; all else follows its kind. */
function inOrder(assets: readonly Asset[]): Asset[] {
  const byKind = ASSET_KINDS.flatMap((kind) => assets.filter((asset) => asset.kind === kind && !asksPolicy(asset)));
  return [...byKind, ...assets.filter(asksPolicy)];
}

function asksPolicy(asset: Asset): boolean {
  return asset.kind === 'ingest_pipeline' && (JSON.stringify(asset.body).includes('"policy_name"') || asset.owner === 'hook');
}

/** Every file of `elastic/`, by path below it. */
export function elasticFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const target of TARGETS) {
    const assets = assetsOf(target);
    const rows = assets.map(({ kind, name, owner }) => ({ kind, name, file: `${FOLDERS[kind]}/${fileName(name)}.json`, owner }));
    files.set(`${target}/manifest.json`, pretty({ target, version: ASSET_VERSION, assets: rows }));
    for (const [n, row] of rows.entries()) files.set(`${target}/${row.file}`, pretty(assets[n]?.body));
    for (const [path, text] of [...ruleFiles(target), ...dashboardFiles(target)]) files.set(`${target}/${path}`, text);
  }
  return files;
}

/** `@` stays: it is what the engines call these things by. */
function fileName(name: string): string {
  return name.replaceAll(/[^\w@.-]/g, '-');
}

function pretty(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Paths below `folder` that are missing, different, or there without a generator. */
export function staleFiles(folder: string): string[] {
  const wanted = elasticFiles();
  const differing = [...wanted].filter(
    ([path, text]) => !existsSync(join(folder, path)) || readFileSync(join(folder, path), 'utf8') !== text,
  );
  return [...differing.map(([path]) => path), ...generatedPaths(folder).filter((path) => !wanted.has(path))].toSorted();
}

function generatedPaths(folder: string): string[] {
  return TARGETS.flatMap((target) => {
    const home = join(folder, target);
    if (!existsSync(home)) return [];
    const entries = readdirSync(home, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  });
}

function writeAll(folder: string): void {
  for (const target of TARGETS) rmSync(join(folder, target), { recursive: true, force: true });
  for (const [path, text] of elasticFiles()) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

const folder = join(resolve(dirname(fileURLToPath(import.meta.url)), '../..'), 'elastic');
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (process.argv.includes('--check')) {
    const stale = staleFiles(folder);
    for (const path of stale) process.stderr.write(`stale: elastic/${path}\n`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else writeAll(folder);
}
