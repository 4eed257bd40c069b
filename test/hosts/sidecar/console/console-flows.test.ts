import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFakeEnricher } from '../../../support/fake-sidecar-enricher.ts';
import { openTestEngine } from '../../../support/open-test-engine.ts';
import { startStandIn } from '../../../support/stand-in-api.ts';
import { hasPagePackages, NEEDS, openBrowser } from '../../../splunk-ui/page-harness.ts';
import { builtConsole, type ConsolePage, lookUp, rowsOf, showConsole, startConsole, summaryOf, violationsOf } from './open-console.ts';

const TIMEOUT_MS = 60_000;
const IMAGES = join(import.meta.dirname, '../../../../docs/images');
/** `cases/first-day.md`, row 8. */
const FIREWALL_LINE =
  'Nov 29 17:00:01 fw01 kernel: DROP IN=eth0 SRC=198.51.100.7 DST=10.0.0.5 PROTO=TCP DPT=443 url=hxxp://login-portal[.]example/reset user=bob';

describe.skipIf(!hasPagePackages)(`the console in a browser ${NEEDS}`, { timeout: TIMEOUT_MS }, () => {
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  let built: Awaited<ReturnType<typeof builtConsole>>;
  let sidecar: Awaited<ReturnType<typeof startConsole>>;

  beforeAll(async () => {
    built = await builtConsole();
    [browser, sidecar] = await Promise.all([openBrowser(), startConsole(built.folder)]);
  }, TIMEOUT_MS);
  afterAll(async () => {
    await browser?.close();
    await sidecar?.close();
    built?.close();
  });

  const isFine = (page: ConsolePage) => expect(page.complaints).toEqual({ errors: [], outside: [] });
  const choose = (page: ConsolePage, name: string) => page.getByRole('button', { name, exact: true }).first().click();
  const words = async (page: ConsolePage, selector: string) => (await page.locator(selector).allTextContents()).join(' ');

  it('a pasted firewall line: two malicious on top, one private, and the rest is text', async () => {
    const page = await showConsole(browser, sidecar.origin);
    await lookUp(page, FIREWALL_LINE);
    expect(await summaryOf(page)).toBe('3 values: 2 malicious, 1 private.');
    expect(await rowsOf(page)).toEqual([
      ['hxxp[:]//login-portal[.]example/reset', 'malicious'],
      ['198[.]51[.]100[.]7', 'malicious'],
      ['10[.]0[.]0[.]5', 'private'],
    ]);
    expect(await page.locator('.text').first().textContent()).toBe(FIREWALL_LINE);
    expect(await page.locator('.text .found').allTextContents()).toEqual([
      '198.51.100.7',
      '10.0.0.5',
      'hxxp://login-portal[.]example/reset',
    ]);
    isFine(page);
    await page.close();
  });

  it('a #q= address is looked up, also when it changes', async () => {
    const page = await showConsole(browser, sidecar.origin, '/#q=198.51.100.7%20and%20more');
    expect(await summaryOf(page)).toBe('1 value: 1 malicious.');
    await page.evaluate(`location.hash = '#q=10.0.0.5'`);
    await page.getByText('1 value: 1 private.').waitFor();
    isFine(page);
    await page.close();
  });

  it('the panel of a value: every source with its points, what it said, its link, and why a private one was not sent', async () => {
    const page = await showConsole(browser, sidecar.origin);
    await lookUp(page, FIREWALL_LINE);
    await summaryOf(page);
    await choose(page, 'hxxp[:]//login-portal[.]example/reset');
    const panel = await words(page, '.detail');
    expect(panel).toMatch(/local · ok · score 88 · confidence 85 · 88 points/);
    expect(panel).toContain('Points of all sources: 88. Score: 88.');
    expect(panel).toContain('first seen 2026-11-10 · last seen 2026-11-21');
    expect(panel).toContain('Its host: login-portal[.]example malicious');
    expect(await page.locator('.detail a').getAttribute('rel')).toBe('noopener noreferrer');
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.activeElement.dataset.row')).toBe('http://login-portal.example/reset');
    await choose(page, '10[.]0[.]0[.]5');
    expect(await words(page, '.detail')).toContain('10.0.0.0/8: private use (RFC 1918): never sent out');
    isFine(page);
    await page.close();
  });

  it('filters by verdict, type and words, sorts by a column, and says so', async () => {
    const page = await showConsole(browser, sidecar.origin);
    await lookUp(page, FIREWALL_LINE);
    await summaryOf(page);
    const values = async () => (await rowsOf(page)).map(([value]) => value);
    await choose(page, '1 private');
    expect(await values()).toEqual(['10[.]0[.]0[.]5']);
    await choose(page, 'Show all');
    await page.getByRole('searchbox').fill('phishing');
    expect(await values()).toEqual(['hxxp[:]//login-portal[.]example/reset']);
    await page.getByRole('searchbox').fill('');
    await page.getByRole('button', { name: 'Indicator', exact: true }).click();
    expect(await values()).toEqual(['10[.]0[.]0[.]5', '198[.]51[.]100[.]7', 'hxxp[:]//login-portal[.]example/reset']);
    expect(await page.locator('th[aria-sort]').textContent()).toBe('Indicator');
    await page.getByLabel('Hosts of URLs too').click();
    expect(await values()).toContain('login-portal[.]example');
    await page.close();
  });

  it('a mail is opened by the sidecar: what is coded in it is found, with the part it stands in', async () => {
    const page = await showConsole(browser, sidecar.origin);
    const html = Buffer.from('<a href="http://login-portal.example/reset">click</a> 198.51.100.7').toString('base64');
    const mail = `From: a@login-portal.example\r\nTo: me@corp.example\r\nSubject: hi\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n${html}\r\n`;
    await page.setInputFiles('input[type=file]', [
      { name: 'offer.eml', mimeType: 'message/rfc822', buffer: Buffer.from(mail) },
      { name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from('value,note\n198[.]51[.]100[.]23,seen\n') },
      { name: 'picture.png', mimeType: 'image/png', buffer: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 1]) },
    ]);
    expect(await summaryOf(page)).toMatch(/malicious/);
    const found = (await rowsOf(page)).map(([value]) => value);
    for (const value of ['198[.]51[.]100[.]7', '198[.]51[.]100[.]23', 'hxxp[:]//login-portal[.]example/reset'])
      expect(found).toContain(value);
    expect(await words(page, '.note')).toContain('picture.png: file: a binary file of a kind that cannot be opened');
    expect(await words(page, '.parts')).toMatch(/header:from.*html/);
    isFine(page);
    await page.close();
  });

  it('takes answers along: list, ticket, CSV, JSON, STIX and searches', async () => {
    const page = await showConsole(browser, sidecar.origin);
    await lookUp(page, FIREWALL_LINE);
    await summaryOf(page);
    const preview = async (format: string) => {
      await page.selectOption('.act select', format);
      return words(page, '.preview');
    };
    expect(await preview('list')).toBe('hxxp[:]//login-portal[.]example/reset\n198[.]51[.]100[.]7\n');
    expect(await preview('markdown')).toContain('| `198[.]51[.]100[.]7` | malicious | 87 | 90 | p1 | c2 | local +87 |');
    expect(await preview('csv')).toContain('198.51.100.7,ipv4-addr,malicious,87,90,ok,p1,c2,sample|list:sample,local=87,');
    expect(JSON.parse(await preview('json'))).toHaveLength(2);
    expect(JSON.parse(await preview('stix')).objects.map(({ type }: { type: string }) => type)).toEqual([
      'identity',
      'indicator',
      'indicator',
    ]);
    expect(await preview('spl')).toContain('("http://login-portal.example/reset" OR "198.51.100.7")');
    expect(await preview('kql')).toContain('source.ip: ("198.51.100.7")');
    expect(await preview('esql')).toContain('CIDR_MATCH(source.ip, "198.51.100.7/32")');
    const waiting = page.waitForEvent('download');
    await choose(page, 'Download');
    expect((await waiting).suggestedFilename()).toBe('search.esql');
    isFine(page);
    await page.close();
  });

  it('overrules a value with a reason and an end, takes it back, and shows both', async () => {
    const page = await showConsole(browser, sidecar.origin);
    await lookUp(page, '198.51.100.23');
    expect(await summaryOf(page)).toBe('1 value: 1 malicious.');
    await choose(page, '198[.]51[.]100[.]23');
    // What was said before comes late: what was typed meanwhile stays.
    const history = Promise.withResolvers<void>();
    await page.route('**/v1/feedback?all=true', async (route) => {
      await history.promise;
      await route.continue();
    });
    await page.getByText('Overrule', { exact: true }).first().click();
    await page.locator('.detail input[name=reason]').first().fill('our own scanner');
    await page.locator('.detail input[name=author]').fill('ada');
    history.resolve();
    await page.getByText('This value was not overruled so far.').waitFor();
    await page.locator('.detail form button.main').first().click();
    await page.getByText('The override is in force.').waitFor();
    await page.getByText('1 value: 1 clean.').waitFor();
    await page.getByText('ada said clean (sources said malicious): our own scanner.').waitFor();
    await choose(page, 'Take back');
    await page.getByText('1 value: 1 malicious.').waitFor();
    isFine(page);
    await page.close();
  });

  it('watches a value and stops watching it', async () => {
    const page = await showConsole(browser, sidecar.origin);
    await lookUp(page, '8.8.4.4');
    await summaryOf(page);
    await choose(page, '8[.]8[.]4[.]4');
    await page.getByText('Watch', { exact: true }).first().click();
    await page.locator('.detail form button.main').nth(1).click();
    await page.getByText('It is watched from now on.').waitFor();
    await choose(page, 'Stop watching');
    await page.getByText('It is watched no more.').waitFor();
    isFine(page);
    await page.close();
  });

  it('shows who of ours was seen with a value, and says where nothing is known', async () => {
    const store = (await sidecar.pipeline.store())!;
    const nowS = Math.floor(Date.now() / 1000);
    await store.recordSightings([{ value: '198.51.100.7', asset: '<b>ws-17</b>', times: 3, firstS: nowS - 60, lastS: nowS }]);
    const page = await showConsole(browser, sidecar.origin, '/#q=198.51.100.7%20198.51.100.23');
    await summaryOf(page);
    for (const [value, said] of [
      ['198[.]51[.]100[.]7', '<b>ws-17</b>: 3 times, last '],
      ['198[.]51[.]100[.]23', 'No feed lists it, it was not seen here'],
    ] as const) {
      await choose(page, value);
      await page.getByText('Sightings and history').click();
      await page.getByText(said).waitFor();
    }
    isFine(page);
    await page.close();
  });

  it('decides alerts, with reasons', async () => {
    const page = await showConsole(browser, sidecar.origin, '/#alerts');
    await page.getByLabel(/Alerts as JSON/).fill('{"id":"A-1","source":{"ip":"198.51.100.7"}}\n{"id":"A-2","source":{"ip":"10.0.0.5"}}');
    await choose(page, 'Decide');
    await page.locator('.card').first().waitFor();
    expect(await page.locator('.card').allTextContents()).toEqual([
      expect.stringMatching(/malicious · tier p1.*Alert A-1/),
      expect.stringContaining('Alert A-2'),
    ]);
    await page.getByLabel(/Alerts as JSON/).fill('{"id":');
    await choose(page, 'Decide');
    await page.getByText('This is not valid JSON').waitFor();
    isFine(page);
    await page.close();
  });

  it('shows health, and the API to try, at /docs too', async () => {
    const page = await showConsole(browser, sidecar.origin, '/#health');
    await page.locator('.charts').first().waitFor();
    const health = await words(page, '.health');
    expect(health).toMatch(/^ready/);
    expect(health).toContain('Entries of local lists');
    expect(health).toContain('Quarantine: 0 items');
    expect(health).toContain('It has not run yet.');
    await page.goto(`${sidecar.origin}/docs`);
    await page.locator('.operation').first().waitFor();
    await page.locator('.operation summary').nth(1).click();
    await choose(page, 'Send');
    await page.getByText(/^HTTP 200, /).waitFor();
    expect(await words(page, '.api .text')).toContain('"verdict": "malicious"');
    isFine(page);
    await page.close();
  });

  it('says the price before anything is spent, and looks up after the click', async () => {
    const enricher = createFakeEnricher({ sayings: { '9.9.9.9': { verdict: 'malicious' } } });
    const priced = await startConsole(built.folder, { enricher });
    const page = await showConsole(browser, priced.origin, '/#q=9.9.9.9,%208.8.8.8');
    await page.locator('.price').waitFor();
    expect(enricher.options.map(({ providers }) => providers)).toEqual([['local']]);
    expect(await words(page, '.price')).toContain('Looking up 2 values costs 2 credits. Nothing was spent so far.');
    await choose(page, 'Look up 2 values');
    await page.getByText('2 values: 1 malicious, 1 clean.').waitFor();
    expect(enricher.asked.at(-1)?.toSorted()).toEqual(['8.8.8.8', '9.9.9.9']);
    await page.close();
    await priced.close();
  });

  it('what local lists know is on top before anything is spent', async () => {
    await using api = await startStandIn();
    const { engine } = await openTestEngine(api.url, { ISMALICIOUS_LOCAL_SAMPLE: 'true' });
    const priced = await startConsole(built.folder, { enricher: engine });
    const page = await showConsole(browser, priced.origin);
    await lookUp(page, `${FIREWALL_LINE} other=45.9.148.114`);
    await page.locator('.price').waitFor();
    expect(await summaryOf(page)).toBe('4 values: 2 malicious, 1 private, 1 waiting.');
    await page.close();
    await priced.close();
    await engine.close();
    expect(api.asked()).toEqual([]);
  });

  it('stops when told to, shows what has come, and goes on', async () => {
    const enricher = createFakeEnricher({ cold: true, delayMs: 30_000 });
    const slow = await startConsole(built.folder, { enricher });
    const page = await showConsole(browser, slow.origin, '/#q=9.9.9.9');
    await choose(page, 'Look up 1 value');
    await choose(page, 'Stop');
    expect(await summaryOf(page)).toBe('Stopped. 1 value: 1 waiting.');
    await choose(page, 'Ask again about those without an answer');
    await page.locator('.price').waitFor();
    await page.close();
    await slow.close();
  });

  it('without the token nothing is read; with it in the field all is, and it is kept for this tab only', async () => {
    const guarded = await startConsole(built.folder, { settings: { token: 'a-token-of-the-house' } });
    const page = await showConsole(browser, guarded.origin);
    await lookUp(page, FIREWALL_LINE);
    await page.getByText('This sidecar needs a token').waitFor();
    await page.getByLabel('Token').fill('a-token-of-the-house');
    await choose(page, 'Look up');
    await page.getByText('3 values: 2 malicious, 1 private.').waitFor();
    expect(await page.evaluate('[sessionStorage.length, localStorage.length, document.cookie.includes("a-token")]')).toEqual([1, 0, false]);
    isFine(page);
    await page.close();
    await guarded.close();
  });

  it('works by keyboard alone', async () => {
    const page = await showConsole(browser, sidecar.origin);
    const tabTo = async (condition: string) => {
      for (let step = 0; step < 40 && !(await page.evaluate(condition)); step++) await page.keyboard.press('Tab');
    };
    await tabTo('document.activeElement.id === "values"');
    await page.keyboard.type('198.51.100.7');
    await page.keyboard.press('Control+Enter');
    expect(await summaryOf(page)).toBe('1 value: 1 malicious.');
    await tabTo('document.activeElement.className === "value"');
    await page.keyboard.press('Enter');
    await page.locator('.detail').waitFor();
    // The page moves the focus once it has drawn, which is after the panel is there.
    await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('detail-title');
    await page.keyboard.press('Escape');
    await page.locator('.detail').waitFor({ state: 'hidden' });
    await page.close();
  });

  describe.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ] as const)('%s at %i px', (colorScheme, width) => {
    it('axe finds nothing on any tab, and nothing is wider than the screen', async () => {
      const page = await showConsole(browser, sidecar.origin);
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await lookUp(page, FIREWALL_LINE);
      await summaryOf(page);
      await page.selectOption('.act select', 'markdown');
      const check = async () => {
        expect(await violationsOf(page)).toEqual([]);
        expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
      };
      await check();
      if (width === 390) await page.evaluate(`document.querySelector('.filters').scrollIntoView()`);
      if (process.env['ISMALICIOUS_SCREENSHOTS'] && (colorScheme === 'light') === (width === 1280))
        await page.screenshot({ path: join(IMAGES, `console-${colorScheme}.png`), animations: 'disabled' });
      await choose(page, '198[.]51[.]100[.]7');
      await page.getByText('Overrule', { exact: true }).first().click();
      await page.getByText('Watch', { exact: true }).first().click();
      await check();
      await page.keyboard.press('Escape');
      for (const [tab, part] of [
        ['alerts', '#alerts'],
        ['health', '.charts'],
        ['api', '.operation'],
      ] as const) {
        await page.evaluate(`location.hash = '#${tab}'`);
        await page.locator(part).first().waitFor();
        await check();
      }
      await page.close();
    });
  });

  it.each([0.8, 2])('zoomed to %d nothing is wider than the window', async (zoom) => {
    const page = await showConsole(browser, sidecar.origin);
    // As browsers do it: the same window holds fewer, larger pixels.
    await page.setViewportSize({ width: Math.round(1280 / zoom), height: Math.round(900 / zoom) });
    await lookUp(page, FIREWALL_LINE);
    await summaryOf(page);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    await page.close();
  });
});
