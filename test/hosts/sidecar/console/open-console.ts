// The console as a user has it: built from today's sources, served by a sidecar, in a real browser that reaches this machine only.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildConsole } from '../../../../scripts/console-bundle.ts';
import { openInsight } from '../../../../src/compose/figures/insight.ts';
import { openEngine } from '../../../../src/compose/open-engine.ts';
import { SidecarSettings } from '../../../../src/compose/sidecar-settings.ts';
import { DEFAULT_FIELDS } from '../../../../src/events/wanted-fields.ts';
import { createSidecar } from '../../../../src/hosts/sidecar/server.ts';
import type { SidecarOptions } from '../../../../src/hosts/sidecar/server.ts';
import { loadPipelineConfig } from '../../../../src/pipeline/open-pipeline.ts';
import { openPipelinePart } from '../../../../src/pipeline/pipeline-part.ts';
import { newStateFolder } from '../../../support/open-test-engine.ts';
import { openPage, type openBrowser, type Page, pagePackage, type Violation } from '../../../splunk-ui/page-harness.ts';

/** A folder with the console's files, and what they are made of; taken away by `close`. */
export async function builtConsole() {
  const folder = mkdtempSync(join(tmpdir(), 'ismalicious-console-'));
  const bundle = await buildConsole(folder);
  return { ...bundle, folder: pathToFileURL(`${folder}/`), close: () => rmSync(folder, { recursive: true }) };
}

/** A sidecar on the embedded default: sample lists, no key; with overrides, watchlist and triage. */
export async function startConsole(
  consoleFolder: URL,
  { settings = {}, ...options }: { settings?: object } & Partial<Omit<SidecarOptions, 'settings'>> = {},
) {
  const state = newStateFolder();
  const env = { ISMALICIOUS_STATE_DIR: state };
  const opened = await openEngine({ env });
  const { engine, feedback } = opened;
  const config = loadPipelineConfig({ env: {}, file: { name: 'y', values: {} } });
  const pipeline = openPipelinePart(config, { path: join(state, 'pipeline.sqlite'), use: 'always', fields: DEFAULT_FIELDS, feedback });
  const sidecar = await createSidecar({
    enricher: engine,
    feedback,
    pipeline,
    settings: SidecarSettings.parse({ port: 0, drainMs: 200, ...settings }),
    consoleFolder,
    insight: await openInsight(opened, { env }, { set: new Map() }),
    ...options,
  });
  const { port } = await sidecar.listen();
  return {
    origin: `http://127.0.0.1:${port}`,
    pipeline,
    async close() {
      await sidecar.close();
      await pipeline.close();
      await engine.close();
    },
  };
}

/** What these tests use of a page besides what the Splunk pages' tests do. */
export interface ConsolePage extends Page {
  readonly complaints: { readonly errors: string[]; readonly outside: string[] };
  emulateMedia(media: { colorScheme: 'light' | 'dark' }): Promise<void>;
  setInputFiles(selector: string, files: readonly { name: string; mimeType: string; buffer: Buffer }[]): Promise<void>;
  selectOption(selector: string, value: string): Promise<unknown>;
  waitForEvent(event: 'download'): Promise<{ suggestedFilename(): string; createReadStream(): Promise<NodeJS.ReadableStream> }>;
}

/** A page of that sidecar; console errors (a policy that was violated is one) count as complaints. */
export async function showConsole(browser: Awaited<ReturnType<typeof openBrowser>>, origin: string, path = '/'): Promise<ConsolePage> {
  const page = (await openPage(browser, origin)) as unknown as ConsolePage;
  page.on('console', (message) => {
    if (message.type?.() === 'error' && !/status of (401|400|409)/.test(message.text?.() ?? ''))
      page.complaints.errors.push(message.text?.() ?? '');
  });
  await page.goto(`${origin}${path}`);
  await page.getByRole('navigation').waitFor();
  return page;
}

/** Puts a text in and has it looked up. */
export async function lookUp(page: ConsolePage, text: string): Promise<void> {
  await page.getByLabel(/Paste anything/).fill(text);
  await page.getByRole('button', { name: 'Look up', exact: true }).click();
}

/** The lines of the table: indicator, verdict. */
export async function rowsOf(page: ConsolePage): Promise<string[][]> {
  return page.evaluate(`[...document.querySelectorAll('.answers tbody tr')].map((row) =>
    [row.querySelector('.value').textContent, row.querySelector('[data-label=Verdict]').textContent])`);
}

/** Waits for the words under the field. */
export async function summaryOf(page: ConsolePage, timeout = 30_000): Promise<string> {
  await page.locator('.summary:not(:empty)').waitFor({ timeout });
  return (await page.locator('.summary').textContent()) ?? '';
}

/** Runs axe-core on the whole page. Not as a script of the page: its policy lets none in. */
export async function violationsOf(page: ConsolePage): Promise<Violation[]> {
  const { source } = pagePackage<{ source: string }>('axe-core');
  await page.evaluate(`${source}; undefined`);
  return page.evaluate(`axe.run(document).then(({ violations }) =>
    violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html.slice(0, 200)) })))`);
}
