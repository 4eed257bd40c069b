// The browser and the bundles that pages are shown with: an install of its own (scripts/splunk-ui.ts), loaded by path, so that the
// suite stands without it.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { tryLock } from '../support/file-lock.ts';

const root = dirname(dirname(import.meta.dirname));
const workshop = join(root, 'splunk-ui');

/** Whether the workshop is installed, as far as the tests need it. */
export const hasPagePackages = ['playwright-core', 'axe-core', '@splunk/dashboard-core', '@splunk/react-ui', 'requirejs'].every((name) =>
  existsSync(join(workshop, 'node_modules', name, 'package.json')),
);

/** Title of what cannot run without it. */
export const NEEDS = '[needs browser workshop: node scripts/splunk-ui.ts]';

/** What the tests use of a Playwright page. */
export interface Page {
  goto(url: string): Promise<unknown>;
  evaluate<T>(script: string): Promise<T>;
  waitForFunction(script: string, argument?: unknown, options?: { timeout: number }): Promise<unknown>;
  addScriptTag(source: { content: string }): Promise<unknown>;
  screenshot(options: { path?: string; fullPage?: boolean; animations: 'disabled' }): Promise<Buffer>;
  getByRole(role: string, options?: { name?: string | RegExp; exact?: boolean }): Locator;
  getByLabel(text: string | RegExp, options?: { exact?: boolean }): Locator;
  getByText(text: string | RegExp, options?: { exact?: boolean }): Locator;
  locator(selector: string): Locator;
  keyboard: { press(key: string): Promise<void>; type(text: string): Promise<void> };
  on(event: 'console' | 'pageerror' | 'request', listener: (what: Noted) => void): void;
  route(pattern: string, handler: (route: Route) => Promise<void>): Promise<void>;
  setViewportSize(size: { width: number; height: number }): Promise<void>;
  close(): Promise<void>;
}

/** What the tests use of a Playwright locator. */
export interface Locator {
  click(options?: { force?: boolean; timeout?: number }): Promise<void>;
  fill(text: string): Promise<void>;
  press(key: string): Promise<void>;
  focus(): Promise<void>;
  waitFor(options?: { state?: 'visible' | 'attached' | 'hidden'; timeout?: number }): Promise<void>;
  textContent(): Promise<string | null>;
  allTextContents(): Promise<string[]>;
  inputValue(): Promise<string>;
  getAttribute(name: string): Promise<string | null>;
  isDisabled(): Promise<boolean>;
  isVisible(): Promise<boolean>;
  count(): Promise<number>;
  first(): Locator;
  nth(index: number): Locator;
  locator(selector: string): Locator;
}

interface Noted {
  type?(): string;
  text?(): string;
  url?(): string;
  message?: string;
}

interface Route {
  request(): { url(): string };
  abort(): Promise<void>;
  continue(): Promise<void>;
}

interface Browser {
  newContext(options: object): Promise<{ newPage(): Promise<Page>; addCookies(cookies: readonly object[]): Promise<void> }>;
  close(): Promise<void>;
}

const requireFromWorkshop = createRequire(join(workshop, 'package.json'));

async function fromWorkshop(name: string): Promise<Record<string, unknown>> {
  return (await import(pathToFileURL(requireFromWorkshop.resolve(name)).href)) as Record<string, unknown>;
}

/** The browser: `ISMALICIOUS_CHROMIUM` if somebody names one, else the pinned one, unpacked once into a folder named after its version. */
async function executable(): Promise<string> {
  const named = process.env['ISMALICIOUS_CHROMIUM'];
  if (named) return named;
  const { version } = JSON.parse(readFileSync(join(workshop, 'node_modules/@sparticuz/chromium/package.json'), 'utf8')) as {
    version: string;
  };
  // It unpacks under a fixed name and never overwrites: without a folder per version an older browser would start.
  const folder = join(process.env.ISMALICIOUS_KEPT_FOLDER ?? tmpdir(), `ismalicious-chromium-${version}`);
  mkdirSync(folder, { recursive: true });
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  try {
    const { default: chromium } = await fromWorkshop('@sparticuz/chromium');
    return await unpackedOnce(folder, () => (chromium as { executablePath(): Promise<string> }).executablePath());
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
}

/** Has one process at a time unpack, which for those after it is done already: a program that is still being written cannot be started (ETXTBSY). */
async function unpackedOnce(folder: string, unpack: () => Promise<string>): Promise<string> {
  const lock = join(folder, 'unpacking');
  while (!tryLock(lock)) await delay(100);
  try {
    return await unpack();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Starts the browser. */
export async function openBrowser(): Promise<Browser> {
  const { chromium } = pagePackage<{ chromium: { launch(options: object): Promise<Browser> } }>('playwright-core');
  // The sandbox wants a plain user.
  const args = ['--disable-dev-shm-usage', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])];
  return chromium.launch({ executablePath: await executable(), args, timeout: 60_000 });
}

/** What a page complained about, and where it tried to go besides loopback. */
export interface Complaints {
  readonly errors: string[];
  readonly outside: string[];
}

/** A fresh page of fixed size, language and time zone, that reaches this machine only. */
export async function openPage(browser: Browser, origin: string, height = 1100): Promise<Page & { readonly complaints: Complaints }> {
  const context = await browser.newContext({
    viewport: { width: 1480, height },
    locale: 'en-US',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
  });
  const { port } = new URL(origin);
  await context.addCookies([{ name: `splunkweb_csrf_token_${port}`, value: 'csrf-of-the-test', url: origin }]);
  const page = await context.newPage();
  const complaints: Complaints = { errors: [], outside: [] };
  page.on('pageerror', ({ message = '' }) => complaints.errors.push(message));
  await page.route('**/*', async (route) => {
    const url = route.request().url();
    if (url.startsWith(origin) || url.startsWith('data:')) return route.continue();
    complaints.outside.push(url);
    return route.abort();
  });
  return Object.assign(page, { complaints });
}

/** One broken rule of axe-core, with the places. */
export interface Violation {
  readonly id: string;
  readonly nodes: readonly string[];
}

/** Runs axe-core in the page, on `selector` and what is in it. `without`: rules that only the test's own page around it can break. */
export async function violationsOf(
  page: Page,
  selector: string,
  { without = [], except = [] }: { readonly without?: readonly string[]; readonly except?: readonly string[] } = {},
): Promise<Violation[]> {
  await page.addScriptTag({ content: readFileSync(requireFromWorkshop.resolve('axe-core/axe.min.js'), 'utf8') });
  const rules = JSON.stringify(Object.fromEntries(without.map((id) => [id, { enabled: false }])));
  const place = JSON.stringify({ include: [[selector]], exclude: except.map((one) => [one]) });
  return page.evaluate(`axe.run(${place}, { rules: ${rules} }).then(({ violations }) =>
    violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html.slice(0, 200)) })))`);
}

/** The bundle that shows dashboards: `dashboard.js` and `dashboard.css`. For tests only: it holds code that may not be handed on. */
export async function buildHarness(): Promise<ReadonlyMap<string, string>> {
  const { outputFiles } = await build({
    absWorkingDir: workshop,
    entryPoints: ['harness/dashboard.tsx'],
    outdir: 'harness',
    bundle: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    jsx: 'automatic',
    minify: true,
    write: false,
    legalComments: 'none',
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  });
  return new Map(outputFiles.map(({ path, text }) => [path.endsWith('.css') ? 'dashboard.css' : 'dashboard.js', text]));
}

/** RequireJS, as Splunk's pages have it. */
export function requireJs(): string {
  return readFileSync(join(workshop, 'node_modules/requirejs/require.js'), 'utf8');
}

/** A CommonJS package of the workshop. */
export function pagePackage<T>(name: string): T {
  return requireFromWorkshop(name) as T;
}
