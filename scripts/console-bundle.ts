// Bundles the console, the page that the sidecar serves: one script and one style sheet, the same bytes for the same sources.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const root = dirname(import.meta.dirname);

/** What was written, and what it is made of. */
interface ConsoleBundle {
  readonly sizesBytes: ReadonlyMap<string, number>;
  /** Files that went in, from the project's root. */
  readonly inputs: readonly string[];
  /** Licence comments found in the sources. */
  readonly legalComments: string;
}

/** Builds `console.js` and `console.css` into a folder, made if need be. */
export async function buildConsole(folder: string): Promise<ConsoleBundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: { console: 'src/console/main.tsx', style: 'src/console/style.css' },
    outdir: folder,
    bundle: true,
    format: 'iife',
    platform: 'browser',
    target: ['es2022', 'chrome110', 'firefox115', 'safari16.4'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    legalComments: 'external',
    metafile: true,
    write: false,
    logLevel: 'error',
  });
  mkdirSync(folder, { recursive: true });
  const sizesBytes = new Map<string, number>();
  const comments: string[] = [];
  for (const { path, text } of outputFiles) {
    if (path.endsWith('.LEGAL.txt')) comments.push(text.trim());
    else {
      const name = path.endsWith('.css') ? 'console.css' : 'console.js';
      writeFileSync(join(folder, name), text);
      sizesBytes.set(name, Buffer.byteLength(text));
    }
  }
  const inputs = Object.values(metafile.outputs).flatMap(({ inputs: used }) => Object.keys(used));
  return { sizesBytes, inputs, legalComments: comments.filter((text) => text !== '').join('\n\n') };
}
