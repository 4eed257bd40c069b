import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dashboardPage } from './host-pages.ts';
import type { Scheme } from './host-pages.ts';
import { openMockSplunkd } from './mock-splunkd.ts';
import type { AskedSearch, MockSplunkd, Table } from './mock-splunkd.ts';
import { answerIn, emptyWorld, filledWorld } from './page-worlds.ts';
import { TABLES } from './tables.ts';
import { DASHBOARDS, definitionOf } from './views.ts';
import { buildHarness, hasPagePackages, NEEDS, openBrowser, openPage, violationsOf } from './page-harness.ts';
import type { Page } from './page-harness.ts';

type Browser = Awaited<ReturnType<typeof openBrowser>>;
type TestPage = Awaited<ReturnType<typeof openPage>>;

const TIMEOUT_MS = 120_000;
const IMAGES = join(import.meta.dirname, '../../docs/images');
/** Splunk's charts call every one of themselves "Chart": theirs to mend, not the definitions'. */
const SPLUNK_OWN = {
  without: ['landmark-unique'],
  // Splunk's theme gives descriptions of panels their grey; a definition cannot.
  except: ['[data-test="viz-description"]'],
};

/** Height of the picture: the canvas of each, and the inputs above it. */
const HEIGHTS = { start_here: 1260, overview: 1160, affected: 1340, investigate: 1590, records: 1650, quota_and_health: 1910 };

/** What the pages say right after installation: what to do first. */
const SAID_FIRST = {
  start_here: ['Open Setup, enter one key', 'The macro ismalicious_firewall finds nothing', 'Edit > Enable', 'never'],
  overview: ['no data yet', 'Open Start here'],
  affected: ['nothing is known yet: open Start here', 'no data yet'],
  investigate: ['no value yet', 'Type an indicator above.', 'No source was asked', 'No host or user in the time range'],
  records: [
    'Nothing is watched',
    'No source was overruled',
    'give it an index',
    'Nothing was sent to anybody',
    'Nothing was sent to a source',
  ],
  quota_and_health: ['none: open Setup', 'No source has a key yet', 'No report yet: enable', 'never', 'not measured'],
};

/** Texts that stand on the page once all panels have their rows. */
const SHOWN = {
  start_here: ['virustotal (exhausted)', 'Enrich notables', 'There is data.', 'Nothing to do.'],
  affected: ['carol', '198[.]51[.]100[.]8', '5,000', 'not blocked'],
  records: ['our own scanner', 'malicious by 2 sources', 'virustotal', '198[.]51[.]100[.]8', 'scheduler__weber__1'],
  overview: ['1,482', 'hxxps://files[.]update-center[.]example/setup[.]exe', 'abuseipdb', 'watch'],
  investigate: ['malicious', 'no answer within 10 s', '87 = ismalicious 52', '2026-11-20 22:00:41', '214'],
  quota_and_health: ['28,904', '46.5 days', 'last refused 2026-11-21', 'quota_exhausted', 'missed', '97.4 %', '1253 ms'],
};

describe.skipIf(!hasPagePackages)(`the shipped dashboards in a browser ${NEEDS}`, { timeout: TIMEOUT_MS }, () => {
  let mock: MockSplunkd;
  let browser: Browser;

  beforeAll(async () => {
    const harness = await buildHarness();
    mock = await openMockSplunkd();
    mock.files.set('/dashboard.js', { type: 'text/javascript', body: harness.get('dashboard.js') ?? '' });
    mock.files.set('/dashboard.css', { type: 'text/css', body: harness.get('dashboard.css') ?? '' });
    browser = await openBrowser();
  }, TIMEOUT_MS);

  afterAll(async () => {
    await browser?.close();
    await mock?.close();
  });

  async function show(
    name: (typeof DASHBOARDS)[number],
    scheme: Scheme,
    answer: (asked: AskedSearch) => Table | string = (asked) => tableOf(name, asked),
  ): Promise<TestPage> {
    mock.reset();
    mock.answer = answer;
    mock.files.set('/page', { type: 'text/html', body: dashboardPage(name, scheme, new URL(mock.origin).port) });
    const page = await openPage(browser, mock.origin, HEIGHTS[name]);
    await page.goto(`${mock.origin}/page`);
    return page;
  }

  async function fillIn(page: Page, text: string): Promise<void> {
    const input = page.locator('[data-test=textbox]').first();
    await input.waitFor({ timeout: 60_000 });
    await input.fill(text);
    await input.press('Enter');
  }

  it.each(DASHBOARDS.flatMap((name) => (['light', 'dark'] as const).map((scheme) => ({ name, scheme }))))(
    '$name, $scheme: every panel has its rows, axe finds nothing, nobody outside is called',
    async ({ name, scheme }) => {
      const page = await show(name, scheme);
      if (name === 'investigate') await fillIn(page, '198[.]51[.]100[.]7');
      for (const text of SHOWN[name]) await waitForText(page, text);
      await keepPicture(page, `splunk-${name.replaceAll('_', '-')}-${scheme}`);
      expect(await violationsOf(page, '#dashboard', SPLUNK_OWN)).toEqual([]);
      expect(page.complaints).toEqual({ errors: [], outside: [] });
      expect(await page.evaluate('window.__faults')).toEqual([]);
      await page.close();
    },
  );

  it.each(DASHBOARDS)('%s, right after installation: says what to do first, shows no error, axe finds nothing', async (name) => {
    const page = await show(name, 'light', ({ search }) => answerIn(emptyWorld(), search));
    for (const text of SAID_FIRST[name]) await waitForText(page, text);
    const text = await page.evaluate<string>("document.querySelector('#dashboard').textContent");
    expect(text).not.toMatch(/No search results returned|Waiting for input|Set token value|Search error/i);
    expect(await violationsOf(page, '#dashboard', SPLUNK_OWN)).toEqual([]);
    expect(page.complaints).toEqual({ errors: [], outside: [] });
    await page.close();
  });

  it.each(DASHBOARDS)('%s, when every search fails: nothing reads like an empty or a clean network, axe finds nothing', async (name) => {
    const page = await show(name, 'light', () => 'isMalicious: no Node 22.0 or newer found on this search head');
    const bases = Object.entries(definitionOf(name).dataSources).flatMap(([id, { type }]) => (type === 'ds.search' ? id : []));
    await expect.poll(() => Object.keys(baseSearches(mock)).toSorted(), { timeout: 60_000 }).toEqual(bases.toSorted());
    // Splunk shows the reason of a failure when its mark is pointed at.
    const text = await page.evaluate<string>("document.querySelector('#dashboard').textContent");
    expect(text).not.toMatch(/no data yet|no value yet|none known|Nothing bad was met/);
    expect(await violationsOf(page, '#dashboard', SPLUNK_OWN)).toEqual([]);
    expect(page.complaints.outside).toEqual([]);
    await page.close();
  });

  it('overview asks what it says, once for each panel or base, and asks the table again for another verdict only', async () => {
    const page = await show('overview', 'light');
    await waitForText(page, '1,482');
    await waitForText(page, '198[.]51[.]100[.]7');
    const tokens = { 'verdict|s': '"malicious, suspicious"', 'tier|s': '"*"' };
    const asked = baseSearches(mock);
    expect(Object.keys(asked).toSorted()).toEqual(['ds_counts', 'ds_sources', 'ds_top']);
    for (const [id, searches] of Object.entries(asked))
      expect(searches.map(({ search }) => search)).toEqual([queryOf('overview', id, tokens)]);
    expect(asked['ds_top']?.[0]?.form).toMatchObject({ earliest_time: '-7d@d', latest_time: 'now' });
    const chained = Object.values(definitionOf('overview').dataSources).filter(({ type }) => type === 'ds.chain');
    const posted = new Set(mock.searches.filter(({ form }) => form['label'] === 'post-process').map(({ search }) => search));
    expect(posted).toEqual(new Set(chained.map(({ options }) => options.query)));

    mock.searches.length = 0;
    await page.getByText('Malicious and suspicious').first().click();
    await page.getByRole('option', { name: 'Malicious', exact: true }).click();
    await page.waitForFunction('window.__tokens?.default?.verdict === "malicious"', undefined, { timeout: 20_000 });
    await expect.poll(() => Object.keys(baseSearches(mock)), { timeout: 20_000 }).toEqual(['ds_top']);
    expect(baseSearches(mock)['ds_top']?.[0]?.search).toContain(
      'where "malicious"=="*" OR like(", "."malicious".",", "%, ".im_verdict.",%")\n| search im_tier="*"',
    );
    await page.close();
  });

  it('overview: a click on a tier filters the table, a click on an indicator leads to Investigate with it', async () => {
    const page = await show('overview', 'light');
    await waitForText(page, '198[.]51[.]100[.]7');
    await waitForText(page, 'watch');
    const bars = page.locator('[data-test="charting-container"]').nth(1).locator('.highcharts-point');
    await bars.first().waitFor({ state: 'attached', timeout: 30_000 });
    await bars.nth(4).click({ force: true });
    await page.waitForFunction('window.__tokens?.default?.tier === "log"', undefined, { timeout: 20_000 });
    await expect.poll(() => baseSearches(mock)['ds_top']?.at(-1)?.search, { timeout: 20_000 }).toContain('im_tier="log"');

    await page.getByText('198[.]51[.]100[.]7').first().click();
    await page.waitForFunction('window.__links.length > 0', undefined, { timeout: 20_000 });
    const [link] = await page.evaluate<{ type: string; options: object; payload: object }[]>('window.__links');
    expect(link).toMatchObject({
      type: 'drilldown.linkToDashboard',
      options: { app: 'ismalicious', dashboard: 'investigate', tokens: [{ token: 'indicator', value: 'row.Indicator.value' }] },
      payload: { 'row.Indicator.value': '198[.]51[.]100[.]7' },
    });
    await page.close();
  });

  it('investigate looks nothing up until somebody asks, then asks once for all panels, whatever was typed', async () => {
    const page = await show('investigate', 'light', ({ search }) => answerIn(emptyWorld(), search));
    await page.locator('[data-test=textbox]').first().waitFor({ timeout: 60_000 });
    await waitForText(page, 'no value yet');
    expect(baseSearches(mock)['ds_check']?.map(({ search }) => search)).toEqual([
      queryOf('investigate', 'ds_check', { 'indicator|s': '" "' }),
    ]);
    mock.searches.length = 0;
    mock.answer = (asked) => tableOf('investigate', asked);
    await fillIn(page, 'x" | delete "');
    await waitForText(page, 'no answer within 10 s');
    const asked = baseSearches(mock);
    expect(asked['ds_check']?.map(({ search }) => search)).toEqual([
      queryOf('investigate', 'ds_check', { 'indicator|s': '"x\\" | delete \\""' }),
    ]);
    expect(asked['ds_triage']?.[0]?.search).toContain('eval given="x\\" | delete \\""');
    expect(Object.keys(asked).toSorted()).toEqual(['ds_check', 'ds_events', 'ds_triage']);
    await page.close();
  });

  /** Takes a picture of the docs anew; those they do not show are not in the repository. */
  async function keepPicture(page: Page, name: string): Promise<void> {
    if (!process.env['ISMALICIOUS_SCREENSHOTS'] || !existsSync(join(IMAGES, `${name}.png`))) return;
    // Charts draw once more after their rows are there.
    await page.waitForFunction('document.fonts.ready.then(() => new Promise((done) => setTimeout(() => done(true), 2500)))', undefined, {
      timeout: 10_000,
    });
    await page.screenshot({ path: join(IMAGES, `${name}.png`), animations: 'disabled' });
  }
});

async function waitForText(page: Page, text: string): Promise<void> {
  await page.waitForFunction(`document.querySelector('#dashboard').textContent.includes(${JSON.stringify(text)})`, undefined, {
    timeout: 60_000,
  });
}

/** Searches that were started, by data source. */
function baseSearches({ searches }: MockSplunkd): Record<string, AskedSearch[]> {
  const started = searches.filter(({ form }) => form['label'] !== 'post-process');
  return Object.groupBy(started, ({ form }) => form['label'] ?? '') as Record<string, AskedSearch[]>;
}

/** A definition's SPL with its tokens filled in. */
function queryOf(name: string, id: string, tokens: Readonly<Record<string, string>>): string {
  const query = definitionOf(name).dataSources[id]?.options.query ?? '';
  return Object.entries(tokens).reduce((text, [token, value]) => text.replaceAll(`$${token}$`, value), query);
}

/** The rows a search would give back: those of the chain whose SPL comes last, else those of the search itself. */
function tableOf(name: (typeof DASHBOARDS)[number], { search, form }: AskedSearch): Table {
  const chained = Object.entries(definitionOf(name).dataSources).find(
    ([, { options }]) => options.extend && search.endsWith(`\n${options.query}`),
  );
  // Pages without rows of their own are run in a world that met something bad.
  return TABLES[name]?.[chained?.[0] ?? form['label'] ?? ''] ?? answerIn(filledWorld(), search);
}
