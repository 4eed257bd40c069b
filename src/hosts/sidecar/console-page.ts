import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** Headers of the page: its own script and style, calls to this sidecar, and nothing else. Texts cannot become code. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** The page around the script; all paths are relative, so that it also works below a prefix. */
export const PAGE_HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>isMalicious console</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="console/console.css">
<script src="console/console.js" defer></script>
</head>
<body>
<div id="page"><main><h1>isMalicious console</h1><p>The console needs JavaScript, and its files beside the program. The API works without: see <a href="openapi.json">openapi.json</a>.</p></main></div>
</body>
</html>
`;

/** The files of the console, by name. */
export const CONSOLE_FILES = ['console.js', 'console.css'] as const;

/** A file of the console as it is sent. */
export interface ConsoleFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly packed: Buffer;
  /** For `If-None-Match`: changes with the content. */
  readonly tag: string;
}

/** The files, read when they are first asked for. `folder`: where they are, when not beside the program. `null`: not built. */
export function createConsoleFiles(folder: URL | null = consoleFolder()): (name: string) => ConsoleFile | null {
  const read = new Map<string, ConsoleFile>();
  return (name) => {
    const known = read.get(name);
    if (known) return known;
    const file = folder === null ? null : fileURLToPath(new URL(name, folder));
    if (file === null || !existsSync(file)) return null;
    const bytes = readFileSync(file);
    const tag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    const type = name.endsWith('.css') ? 'text/css; charset=utf-8' : 'text/javascript; charset=utf-8';
    const fresh = { type, bytes, packed: gzipSync(bytes, { level: 9 }), tag };
    read.set(name, fresh);
    return fresh;
  };
}

/** Beside the program; run from its sources, where the build puts it. */
function consoleFolder(): URL | null {
  const isSource = import.meta.url.endsWith('.ts');
  const candidates = (isSource ? ['../../../dist/console/'] : ['./console/', '../console/']).map((path) => new URL(path, import.meta.url));
  return candidates.find((folder) => existsSync(new URL('console.js', folder))) ?? null;
}
