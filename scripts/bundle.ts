// Bundles one folder of programs with esbuild, so that a program parses at its start only what it needs at its start.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import { build, transform } from 'esbuild';
import type { Metafile, Plugin } from 'esbuild';

/** Programs that share one folder and the library chunks in its `lib/`. */
export interface ProgramFolder {
  /** Where the programs go. */
  readonly folder: string;
  /** `cjs` starts a few milliseconds faster and needs no package.json above it; `esm` allows top-level await. */
  readonly format: 'esm' | 'cjs';
  /** Program name (`ismalicious` → `ismalicious.js`) → entry file, from the project's root. */
  readonly entries: Readonly<Record<string, string>>;
}

/** What was written, and what it is made of. */
export interface Bundle {
  /** Path from the folder → size. */
  readonly sizesBytes: ReadonlyMap<string, number>;
  /** Files that went in, from the project's root. */
  readonly inputs: readonly string[];
  /** Licence comments found in the sources, which minifying takes out of the code. */
  readonly legalComments: string;
}

/** The oldest Node the programs run on: what Splunk and Logstash hosts may have. */
const TARGET = 'node22';
/** Characters after which minified code goes on in a new line. */
const LINE_LIMIT = 400;

// CommonJS packages inside ES modules ask for these three.
const COMMONJS_GLOBALS =
  'import{createRequire as __createRequire}from"node:module";' +
  'const require=__createRequire(import.meta.url),__filename=import.meta.filename,__dirname=import.meta.dirname;';

// What `import.meta.url` is in CommonJS; only in files that ask for it.
const FILE_URL = 'const __fileUrl=require("node:url").pathToFileURL(__filename).href;\n';

const PROVIDER_REGISTRY = 'src/providers/registry.ts';
const FIRST_PROVIDER = './ismalicious.ts';

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/**
 * Gives `await import('package')` the names it has in plain Node. esbuild's ES module output offers only `default` for a
 * CommonJS package that is imported dynamically; so ask Node for the names and export each of them.
 */
const namedExportsOfCommonJs: Plugin = {
  name: 'named-exports-of-commonjs',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[^./]/ }, ({ kind, path, resolveDir }) => {
      const isPackage = kind === 'dynamic-import' && !path.startsWith('node:') && !builtinModules.includes(path);
      return isPackage ? { path, namespace: 'lazy', pluginData: resolveDir } : undefined;
    });
    onLoad({ filter: /.*/, namespace: 'lazy' }, async ({ path, pluginData }) => {
      const source = JSON.stringify(path);
      const names = Object.keys(await import(path));
      // Node names the whole of a CommonJS module `module.exports`, and only there.
      const contents = names.includes('module.exports')
        ? `import all from ${source}; export default all; export const { ${names.filter((name) => name !== 'default' && IDENTIFIER.test(name)).join(', ')} } = all;`
        : `export * from ${source};${names.includes('default') ? ` export { default } from ${source};` : ''}`;
      return { contents, resolveDir: String(pluginData) };
    });
  },
};

/**
 * The providers stand in two files, the first one's own and one for all others: a file for each would be twenty more, and what they share
 * would be cut into a dozen that every search has to read.
 */
const otherProvidersTogether: Plugin = {
  name: 'other-providers-together',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\// }, ({ kind, importer, path }) =>
      kind === 'dynamic-import' && importer.endsWith(PROVIDER_REGISTRY) && path !== FIRST_PROVIDER
        ? { path: 'other-providers', namespace: 'together', pluginData: importer }
        : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'together' }, ({ pluginData }) => {
      const registry = String(pluginData);
      const paths = [...readFileSync(registry, 'utf8').matchAll(/import\('(\.\/[^']+)'\)/g)].map(([, path = '']) => path);
      const others = paths.filter((path) => path !== FIRST_PROVIDER);
      return { contents: others.map((path) => `export * from ${JSON.stringify(path)};`).join('\n'), resolveDir: dirname(registry) };
    });
  },
};

/** Functions of a few lines without state, needed nearly everywhere: a file of their own each would be read by every search. */
const EVERYWHERE = /\/(?:word-table|inert-text)\.ts$/;

/** Those stand beside each module that needs them, and so in its file. */
const smallOnesBesideTheirUsers: Plugin = {
  name: 'small-ones-beside-their-users',
  setup({ onResolve, initialOptions: { absWorkingDir = '' } }) {
    // By its path from the project's root: names of chunks come from it, and are to be the same in every checkout.
    onResolve({ filter: EVERYWHERE }, ({ importer, path, resolveDir, namespace }) =>
      namespace === 'file' ? { path: resolve(resolveDir, path), suffix: `?for=${relative(absWorkingDir, importer)}` } : undefined,
    );
  },
};

/** The HTTP client inside `splunk-sdk` verifies no certificate and is never used: it is left out, so that it cannot be. */
const noUnverifiedHttp: Plugin = {
  name: 'no-unverified-http',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /platform\/node\/node_http$/ }, ({ path }) => ({ path, namespace: 'left-out' }));
    onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/** The Kafka client reads its WebAssembly from a file beside it, where a bundle has none: it has a form with it inside. */
const wasmInside: Plugin = {
  name: 'wasm-inside',
  setup({ onResolve, resolve: resolveAgain }) {
    onResolve({ filter: /^@platformatic\/wasm-utils$/ }, ({ path, kind, resolveDir }) =>
      resolveAgain(`${path}/bundled`, { kind, resolveDir }),
    );
  },
};

/**
 * Bundles the programs of one folder. Every `await import(…)` becomes a file of its own in `lib/`, read when it is reached; a
 * module that two of them need stands in exactly one file, so its state and classes exist once. For CommonJS, which esbuild
 * cannot split, the files are split as ES modules and then translated one by one.
 */
export async function bundleFolder(root: string, version: string, { folder, format, entries }: ProgramFolder): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: { ...entries },
    outdir: folder,
    chunkNames: 'lib/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: TARGET,
    minify: true,
    // A fault that nobody catches has Node print its line: no screenful of it.
    lineLimit: LINE_LIMIT,
    legalComments: 'external',
    metafile: true,
    write: false,
    plugins: [namedExportsOfCommonJs, otherProvidersTogether, smallOnesBesideTheirUsers, noUnverifiedHttp, wasmInside],
    define: { __VERSION__: JSON.stringify(version) },
    ...(format === 'esm' && { banner: { js: COMMONJS_GLOBALS } }),
  });
  const sizesBytes = new Map<string, number>();
  const legalComments: string[] = [];
  for (const { path, text } of outputFiles) {
    if (path.endsWith('.LEGAL.txt')) {
      legalComments.push(text.trim());
      continue;
    }
    const code = format === 'esm' ? text : await toCommonJs(text);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, code);
    sizesBytes.set(relative(resolve(root, folder), path), Buffer.byteLength(code));
  }
  // Inside a package whose type is "module" (ours) Node would take these files for ES modules.
  if (format === 'cjs') writeFileSync(resolve(root, folder, 'package.json'), '{"type":"commonjs"}\n');
  return { sizesBytes, inputs: inputsOf(metafile), legalComments: [...new Set(legalComments)].toSorted().join('\n\n') };
}

async function toCommonJs(code: string): Promise<string> {
  const usesUrl = code.includes('import.meta.url');
  const { code: translated } = await transform(usesUrl ? `${FILE_URL}${code}` : code, {
    format: 'cjs',
    platform: 'node',
    target: TARGET,
    minify: true,
    lineLimit: LINE_LIMIT,
    // `import()` becomes a lazy require(): the ES module loader is never started.
    supported: { 'dynamic-import': false },
    define: { 'import.meta.filename': '__filename', 'import.meta.dirname': '__dirname', 'import.meta.url': '__fileUrl' },
    // What it could warn about is in third-party code and was seen in the first pass.
    logLevel: 'error',
  });
  return translated;
}

function inputsOf({ outputs }: Metafile): string[] {
  const used = Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs).map((path) => path.split('?', 1)[0] ?? path));
  return [...new Set(used)].toSorted();
}
