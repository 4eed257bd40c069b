import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openInsight } from '../../../../src/compose/figures/insight.ts';
import { renderEngineMetrics } from '../../../../src/compose/figures/engine-metrics.ts';
import { openEngine } from '../../../../src/compose/open-engine.ts';
import { newStateFolder } from '../../../support/open-test-engine.ts';
import { startStandIn } from '../../../support/stand-in-api.ts';
import { hasPagePackages, NEEDS, openBrowser } from '../../../splunk-ui/page-harness.ts';
import { builtConsole, type ConsolePage, showConsole, startConsole, violationsOf } from './open-console.ts';

const TIMEOUT_MS = 60_000;
const KEY = 'a2V5OnNlY3JldC1vZi1vdXJz';
const HOSTILE = '<img src=x onerror=alert(1)>';

/** A sidecar with a key, on a state folder where searches of two users have spent credits. */
async function startSpent(consoleFolder: URL) {
  const api = await startStandIn();
  const env = {
    ISMALICIOUS_BASE_URL: api.url,
    ISMALICIOUS_X_API_KEY: KEY,
    ISMALICIOUS_STATE_DIR: newStateFolder(),
    ISMALICIOUS_BUDGET_PER_MONTH: '100',
  };
  for (const [user, values] of [
    ['bob', ['13.0.0.1']],
    [HOSTILE, ['11.0.0.1', '12.0.0.1']],
  ] as const) {
    const search = await openEngine({ env, origin: { program: 'splunk', user, search: '1795000000.42' } });
    await search.engine.enrichMany(values);
    await search.engine.close();
  }
  const opened = await openEngine({ env, origin: { program: 'sidecar' } });
  await opened.engine.enrichMany(['11.0.0.1', '12.0.0.1', '13.0.0.1', '15.0.0.1']);
  const insight = await openInsight(opened, { env }, { set: new Map() });
  const sidecar = await startConsole(consoleFolder, {
    enricher: opened.engine,
    insight,
    extraMetrics: () => renderEngineMetrics(opened.engine.stats()),
  });
  return {
    origin: sidecar.origin,
    insight,
    async close() {
      await sidecar.close();
      await opened.engine.close();
      await api[Symbol.asyncDispose]();
    },
  };
}

describe.skipIf(!hasPagePackages)(`the health of the console in a browser ${NEEDS}`, { timeout: TIMEOUT_MS }, () => {
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  let built: Awaited<ReturnType<typeof builtConsole>>;
  let sidecar: Awaited<ReturnType<typeof startSpent>>;

  beforeAll(async () => {
    built = await builtConsole();
    [browser, sidecar] = await Promise.all([openBrowser(), startSpent(built.folder)]);
  }, TIMEOUT_MS);
  afterAll(async () => {
    await browser?.close();
    await sidecar?.close();
    built?.close();
  });

  const show = async () => {
    const page = await showConsole(browser, sidecar.origin, '/#health');
    await page.getByText(/^Settings in force/).waitFor();
    return page;
  };
  const cellsOf = (page: ConsolePage, caption: string): Promise<string[][]> =>
    page.evaluate(`[...document.querySelectorAll('table')].filter((table) => table.caption.textContent.startsWith('${caption}'))
      .flatMap((table) => [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent)))`);

  it('says how fast and how sure each source is, what the cache gives, and what eight weeks were like', async () => {
    const page = await show();
    const [source] = await cellsOf(page, 'Sources');
    expect([source?.[0], source?.[7], source?.[10]]).toEqual(['ismalicious', '100 %', '100.0 %']);
    // Four credits in a week, of a budget of 100 of which they are all that was spent.
    expect(source?.[11]).toBe('168 days (budget)');
    expect(source?.[9]).toMatch(/^[\d,]+ \/ [\d,]+ ms$/);
    const facts = (await page.locator('.facts').allTextContents()).join(' ');
    expect(facts).toContain('Answered from the cache75.0 % since the start');
    expect(facts).toMatch(/Size of the cache\d+/);
    const weeks = await cellsOf(page, 'Weeks (targets: 99.0 % answered, 95 % within 30 s)');
    expect(weeks).toHaveLength(8);
    expect(weeks[0]?.slice(1)).toEqual(['100.0 %', expect.stringMatching(/ ms$/), '–', expect.any(String), '4', '–']);
    expect(weeks[7]?.slice(1)).toEqual(['–', '–', '–', '0', '0', '–']);
    expect(page.complaints).toEqual({ errors: [], outside: [] });
    await page.close();
  });

  const labelsOfCharts = (page: ConsolePage): Promise<string[]> =>
    page.evaluate(`[...document.querySelectorAll('.plot[role=img]')].map((plot) => plot.getAttribute('aria-label'))`);
  /** Where a chart has a colour of the page: the columns, as shares of its width. */
  const columnsOf = (title: string, colour: string) => `(() => {
    const canvas = document.querySelector('.plot[aria-label^="${title}"] canvas');
    const wanted = getComputedStyle(document.documentElement).getPropertyValue('${colour}').trim().match(/\\w\\w/g).map((hex) => parseInt(hex, 16));
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const columns = new Set();
    for (let at = 0; at < data.length; at += 4)
      if (data[at + 3] === 255 && wanted.every((part, n) => data[at + n] === part)) columns.add((at / 4) % canvas.width);
    return [...columns].map((column) => column / canvas.width).sort((a, b) => a - b);
  })()`;
  /** Not `waitForFunction`: the page's policy refuses the code that it would run there. */
  const until = (page: ConsolePage, condition: string): Promise<void> =>
    page.evaluate(`new Promise((done) => {
      const look = () => (${condition} ? done() : requestAnimationFrame(look));
      look();
    })`);

  it('draws the weeks that were measured, and nothing where none was', async () => {
    const page = await show();
    const [answered, ...others] = (await labelsOfCharts(page)).filter((label) => label.includes(', by week'));
    expect(answered).toMatch(/^Answered, by week \(%\): (?:[\d-]+ not measured; ){7}[\d-]+ 100\.$/);
    expect(others.map((label) => label.split(':')[0])).toEqual(['95 % within, by week (ms)', 'Credits, by week (credits)']);
    expect(others[1]).toMatch(/(?:[\d-]+ not measured; ){7}[\d-]+ 4\.$/);
    // One dot at the right end: seven weeks without a figure are neither a line nor zeroes.
    for (const title of ['Answered, by week', '95 % within, by week', 'Credits, by week'])
      expect((await page.evaluate<number[]>(columnsOf(title, '--accent')))[0], title).toBeGreaterThan(0.9);
    expect(page.complaints).toEqual({ errors: [], outside: [] });
    await page.close();
  });

  it('draws no line over weeks between two that were measured', async () => {
    const { insight } = sidecar;
    const report: typeof insight.report = async (days) => {
      const real = await insight.report(days);
      const trend = real.trend.map((week, n) => (n < 2 || n > 4 ? { ...real.trend.at(-1)!, from: week.from } : week));
      return { ...real, trend };
    };
    const other = await startConsole(built.folder, { insight: { ...insight, report } });
    const page = await showConsole(browser, other.origin, '/#health');
    await page.getByText(/^Settings in force/).waitFor();
    for (const title of ['Answered, by week', '95 % within, by week', 'Credits, by week']) {
      const columns = await page.evaluate<number[]>(columnsOf(title, '--accent'));
      const widest = Math.max(...columns.slice(1).map((column, n) => column - columns[n]!));
      // Of seven steps between eight weeks the line leaves out four.
      expect([columns[0]! < 0.3, columns.at(-1)! > 0.9, widest > 0.35], title).toEqual([true, true, true]);
    }
    await page.close();
    await other.close();
  });

  it('draws what went on between two readings, and no axes before there are two', async () => {
    const page = await showConsole(browser, sidecar.origin);
    await page.evaluate(`window.seen = [];
      new MutationObserver(() => {
        const plot = document.querySelector('.plot[aria-label^="Calls"]');
        if (plot) seen.push([plot.getAttribute('aria-label'), plot.hidden]);
      }).observe(document.body, { childList: true, subtree: true });
      location.hash = '#health'`);
    await page.getByText(/^Settings in force/).waitFor();
    // Coming back to the page has it read at once.
    await page.evaluate(`location.hash = ''; addEventListener('hashchange', () => (location.hash = '#health'), { once: true })`);
    await until(page, `${columnsOf('Calls', '--accent')}.length > 0`);
    expect((await page.evaluate<unknown[]>('seen'))[0]).toEqual(['Calls (a second): nothing was measured.', true]);
    expect(await page.locator('.plot[aria-label^="Calls"]').getAttribute('aria-label')).toMatch(
      /^Calls \(a second\): \d\d:\d\d:\d\d [\d.,]+/,
    );
    expect(page.complaints).toEqual({ errors: [], outside: [] });
    await page.close();
  });

  it('draws how the credits will go, from all that are left', async () => {
    const page = await show();
    const [credits] = (await labelsOfCharts(page)).filter((label) => label.startsWith('Credits of'));
    expect(credits).toMatch(/^Credits of ismalicious, reckoned at the pace of this week \(left now\): /);
    expect(credits).toContain('96');
    expect(await page.evaluate(columnsOf('Credits of', '--accent'))).not.toEqual([]);
    await page.close();
  });

  it('draws in the colours of the page, again when they change, by the system or by choice', async () => {
    const page = await show();
    const drawn = (colour: string) => until(page, `${columnsOf('Credits, by week', colour)}.length > 0`);
    // The page reads no more, unnoticed: a new reading would draw as well.
    await page.evaluate(`history.replaceState(null, '', '#still')`);
    const accents = new Set<string>();
    for (const change of [
      async () => page.emulateMedia({ colorScheme: 'light' }),
      async () => page.emulateMedia({ colorScheme: 'dark' }),
      async () => page.selectOption('.settings select', 'light'),
      async () => page.selectOption('.settings select', 'dark'),
    ]) {
      await change();
      await drawn('--accent');
      await drawn('--line');
      accents.add(await page.evaluate<string>(`getComputedStyle(document.documentElement).getPropertyValue('--accent')`));
    }
    expect(accents.size).toBe(2);
    expect(page.complaints).toEqual({ errors: [], outside: [] });
    await page.close();
  });

  it('is as wide as its place, also when that changes', async () => {
    const page = await show();
    for (const width of [1280, 390, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      await until(
        page,
        `[...document.querySelectorAll('.plot')].every((plot) =>
        plot.hidden || plot.clientWidth > 200 && plot.querySelector('canvas').clientWidth === plot.clientWidth)`,
      );
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    }
    await page.close();
  });

  it('says where sample answers are given, and not where they are not', async () => {
    const page = await show();
    expect(await page.locator('.sample').count()).toBe(0);
    await page.close();
    const sample = await startConsole(built.folder);
    const other = await showConsole(browser, sample.origin, '/#health');
    await other.locator('.sample').waitFor();
    expect(await other.locator('.sample').textContent()).toContain('Sample mode');
    await other.close();
    await sample.close();
  });

  it('names who spent most, by user and search, those with most credits first, as text', async () => {
    const page = await show();
    expect(await cellsOf(page, 'Who spent most')).toEqual([
      ['splunk', HOSTILE, '1795000000.42', '2', '2', expect.any(String)],
      expect.arrayContaining(['1', '1']),
      expect.arrayContaining(['1', '1']),
    ]);
    expect((await cellsOf(page, 'Who spent most')).map(([program, user]) => `${program} ${user}`).toSorted()).toEqual([
      'sidecar –',
      `splunk ${HOSTILE}`,
      'splunk bob',
    ]);
    expect(page.complaints).toEqual({ errors: [], outside: [] });
    await page.close();
  });

  it('shows the settings in force, those that somebody set first, with their place and without secrets', async () => {
    const page = await show();
    await page.getByText(/^Settings in force/).click();
    const settings = await cellsOf(page, 'As of the start');
    expect(settings).toContainEqual(['providers.ismalicious.x_api_key', '********', 'environment variable ISMALICIOUS_X_API_KEY']);
    expect(settings).toContainEqual(['sidecar.port', '8787', 'default']);
    const places = settings.map(([, , from]) => from === 'default');
    expect(places).toEqual(places.toSorted((a, b) => Number(a) - Number(b)));
    expect(await page.evaluate('document.documentElement.outerHTML')).not.toContain(KEY);
    await page.close();
  });

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ] as const)('%s at %i px: axe finds nothing, and nothing is wider than the screen', async (colorScheme, width) => {
    const page = await show();
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    await page.getByText(/^Settings in force/).click();
    expect(await violationsOf(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    if (process.env['ISMALICIOUS_SCREENSHOTS'] && colorScheme === 'light' && width === 1280) {
      await page.getByText(/^Settings in force/).click();
      await page.evaluate(
        `for (const cell of document.querySelectorAll('td')) if (cell.textContent.startsWith('<img')) cell.textContent = 'alice'`,
      );
      // Half a minute, so that the picture has lines.
      await until(page, `document.querySelector('.plot[aria-label^="Calls"]').getAttribute('aria-label').split(';').length >= 6`);
      await page.screenshot({
        path: join(import.meta.dirname, '../../../../docs/images/console-health.png'),
        animations: 'disabled',
        fullPage: true,
      });
    }
    await page.close();
  });
});
