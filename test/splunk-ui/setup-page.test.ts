import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildSetupBundle, SETUP_BUNDLE_FILES } from '../../scripts/splunk-ui-bundle.ts';
import { setupPage, themeScript } from './host-pages.ts';
import type { Scheme } from './host-pages.ts';
import { openMockSplunkd } from './mock-splunkd.ts';
import type { MockSplunkd } from './mock-splunkd.ts';
import { hasPagePackages, NEEDS, openBrowser, openPage, requireJs, violationsOf } from './page-harness.ts';
import type { Page } from './page-harness.ts';

const TIMEOUT_MS = 60_000;
const IMAGES = join(import.meta.dirname, '../../docs/images');
const KEY = 'dGVzdC1rZXk6dGVzdC1zZWNyZXQ=';
const ROW = ['im_status', 'im_verdict', 'im_message'];

describe.skipIf(!hasPagePackages)(`the setup page in a browser ${NEEDS}`, { timeout: TIMEOUT_MS }, () => {
  let folder: string;
  let mock: MockSplunkd;
  let browser: Awaited<ReturnType<typeof openBrowser>>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ismalicious-setup-'));
    await buildSetupBundle(folder);
    mock = await openMockSplunkd();
    mock.files.set('/setup.js', { type: 'text/javascript', body: readFileSync(join(folder, 'setup.js'), 'utf8') });
    mock.files.set('/require.js', { type: 'text/javascript', body: requireJs() });
    browser = await openBrowser();
  }, TIMEOUT_MS);

  afterAll(async () => {
    await browser?.close();
    await mock?.close();
    if (folder) rmSync(folder, { recursive: true });
  });

  /** Opens the page; `prepare`: what splunkd has before. */
  async function show(prepare: () => void = () => undefined, scheme: Scheme = 'light') {
    mock.reset();
    prepare();
    mock.files.set('/en-US/static/@test/build/api/get_theme.js', { type: 'text/javascript', body: themeScript(scheme) });
    mock.files.set('/page', { type: 'text/html', body: setupPage(scheme, new URL(mock.origin).port) });
    const page = await openPage(browser, mock.origin, 1000);
    await page.goto(`${mock.origin}/page`);
    await page.getByRole('heading', { name: 'Sidecar (remote)' }).waitFor({ timeout: 30_000 });
    return page;
  }

  const save = (page: Page) => page.getByRole('button', { name: 'Save', exact: true }).click();
  const keyField = (page: Page) => page.getByLabel('API key (base64)', { exact: true });
  const said = async (page: Page, role: 'alert' | 'status') => {
    await page.getByRole(role).first().waitFor({ timeout: 20_000 });
    return (await page.getByRole(role).allTextContents()).join(' ');
  };

  it('the bundle comes with the licences of what is in it, and with nothing confidential', () => {
    for (const file of SETUP_BUNDLE_FILES) expect(readFileSync(join(folder, file), 'utf8')).not.toMatch(/SPLUNK CONFIDENTIAL|Highcharts/);
    expect(readFileSync(join(folder, 'setup.LEGAL.txt'), 'utf8')).toMatch(/@splunk\/react-ui 5\.16\.0\nLicence: Apache-2\.0/);
  });

  it.each(['light', 'dark'] as const)('%s: with RequireJS on the page, axe finds nothing, empty, in error and refused', async (scheme) => {
    const page = await show(() => mock.secrets.set('ismalicious.x_api_key', 'kept'), scheme);
    expect(await violationsOf(page, 'main')).toEqual([]);
    if (process.env['ISMALICIOUS_SCREENSHOTS'] && scheme === 'light')
      await page.screenshot({ path: join(IMAGES, 'splunk-setup-light.png'), animations: 'disabled' });
    await page.getByLabel('Own networks').fill('10.0.0.0/33');
    await save(page);
    expect(await said(page, 'alert')).toContain('"10.0.0.0/33" is not a network');
    expect(await violationsOf(page, 'main')).toEqual([]);
    await page.getByLabel('Own networks').fill('10.0.0.0/8');
    mock.refusals.set('POST configs', 403);
    await save(page);
    await page.getByText('you lack the capability').waitFor();
    expect(await violationsOf(page, 'main')).toEqual([]);
    expect(page.complaints).toEqual({ errors: [], outside: [] });
    await page.close();
  });

  it('takes the place of the text with the manual way, which stays where the script does not come', async () => {
    const page = await show();
    expect(await page.getByText('Set it up by hand').count()).toBe(0);
    const script = mock.files.get('/setup.js')!;
    mock.files.delete('/setup.js');
    await page.goto(`${mock.origin}/page`);
    await page.getByText('Set it up by hand').waitFor();
    expect(await page.locator('#ismalicious-setup').textContent()).toContain('storage/passwords');
    mock.files.set('/setup.js', script);
    await page.close();
  });

  it('saves keys into storage/passwords and all else into ismalicious.conf, then marks the app as set up', async () => {
    const page = await show(() => mock.conf.set('providers.ismalicious', {}));
    await keyField(page).fill(KEY);
    await page.getByLabel('Base URL').first().fill('https://api.example.com/');
    await page.getByLabel('Own domains', { exact: true }).fill('corp.example\nexample.net');
    await page.getByRole('switch').first().click();
    await save(page);
    expect(await said(page, 'status')).toContain('The app is set up');
    expect([...mock.secrets]).toEqual([['ismalicious.x_api_key', KEY]]);
    expect(Object.fromEntries(mock.conf)).toEqual({
      'providers.ismalicious': { base_url: 'https://api.example.com/' },
      'providers.remote': { enabled: 'true' },
      privacy: { own_domains: 'corp.example, example.net' },
    });
    expect(mock.isConfigured).toBe(true);
    const posts = mock.calls.filter(({ method }) => method === 'POST');
    expect(
      posts.every(({ headers }) => headers['x-splunk-form-key'] === 'csrf-of-the-test' && headers['x-requested-with'] === 'XMLHttpRequest'),
    ).toBe(true);
    expect(mock.calls.some(({ path }) => path.includes(KEY))).toBe(false);
    expect(await keyField(page).inputValue()).toBe('');
    expect(await page.evaluate('document.body.innerHTML')).not.toContain(KEY);
    await page.getByRole('heading', { name: 'Next: enable these searches' }).waitFor({ timeout: 5000 });
    expect(await page.getByRole('link', { name: 'Start here' }).getAttribute('href')).toBe('start_here');
    expect(await page.getByRole('link', { name: 'Enable searches' }).getAttribute('href')).toContain('/manager/ismalicious/saved/searches');
    expect(await violationsOf(page, 'main')).toEqual([]);
    await page.close();
  });

  it('masks keys, never shows a saved one, replaces it or takes it away', async () => {
    const page = await show(() => mock.secrets.set('ismalicious.x_api_key', 'old-value').set('ismalicious.api_key', 'other-value'));
    expect(await keyField(page).getAttribute('type')).toBe('password');
    expect(await page.evaluate('document.body.innerHTML')).not.toMatch(/old-value|other-value|foreign/);
    await keyField(page).fill('new-value');
    await page.getByRole('button', { name: 'Remove the saved value of isMalicious, API key', exact: true }).click();
    await save(page);
    expect(await said(page, 'status')).toContain('Saved');
    expect([...mock.secrets]).toEqual([['ismalicious.x_api_key', 'new-value']]);
    await page.close();
  });

  it('sends nothing while an entry is wrong', async () => {
    const page = await show();
    await keyField(page).fill('two words');
    await page.getByLabel('Base URL').first().fill('http://api.example.com');
    mock.calls.length = 0;
    await save(page);
    expect(await said(page, 'alert')).toMatch(/Nothing was saved: 2 entries.*one word.*https:\/\//);
    expect(mock.calls).toEqual([]);
    await page.close();
  });

  it.each([
    ['POST storage/passwords', 'edit_storage_passwords'],
    ['POST apps/local', 'edit_local_apps'],
  ])('403 to %s names %s, keeps what was typed and does not call the app set up', async (call, capability) => {
    const page = await show(() => mock.refusals.set(call, 403));
    await keyField(page).fill(KEY);
    await save(page);
    expect(await said(page, 'alert')).toContain(`you lack the capability ${capability}`);
    expect(await keyField(page).inputValue()).toBe(KEY);
    expect(mock.isConfigured).toBe(false);
    await page.close();
  });

  it('says list_storage_passwords where the saved keys may not be listed', async () => {
    const page = await show(() => mock.refusals.set('GET storage/passwords', 403));
    expect(await said(page, 'alert')).toContain('you lack the capability list_storage_passwords');
    await page.close();
  });

  it.each([
    [{ fields: ROW, rows: [['ok', 'clean', '']] }, 'status', 'Connected: ismalicious answered about example.com (verdict clean).'],
    [
      { fields: ROW, rows: [['unauthorized', 'unknown', 'key refused (HTTP 401)']] },
      'alert',
      'ismalicious gave no answer (unauthorized). key refused (HTTP 401)',
    ],
    [{ fields: ROW, rows: [['partial', 'unknown', 'late']] }, 'status', 'ismalicious answered in part (partial). late'],
    [{ fields: ROW, rows: [] }, 'alert', 'ismalicious was not reached'],
    ['isMalicious: providers="ismalicious" has no key yet', 'alert', 'has no key yet'],
  ] as const)('test connection, %j: says %s, %s', async (answer, role, words) => {
    const page = await show();
    mock.answer = () => answer;
    await page.getByRole('button', { name: 'Test connection: isMalicious', exact: true }).click();
    expect(await said(page, role)).toContain(words);
    expect(mock.searches.map(({ search }) => search)).toEqual([
      '| makeresults | eval probe="example.com" | ismalicious probe providers=ismalicious max_age=0s timeout=30 | table im_status im_verdict im_message',
    ]);
    await page.close();
  });

  it('tests only what is saved', async () => {
    const page = await show();
    const button = page.getByRole('button', { name: 'Test connection: isMalicious', exact: true });
    expect(await button.isDisabled()).toBe(false);
    await keyField(page).fill(KEY);
    expect(await button.isDisabled()).toBe(true);
    await page.close();
  });

  it('works by keyboard: from the first field to Save, and on to what came of it', async () => {
    const page = await show();
    const focused = () => page.evaluate<string>('document.activeElement.name || document.activeElement.textContent');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Save');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Test connection');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('ismalicious.x_api_key');
    await page.keyboard.type(KEY);
    for (let step = 0; step < 60 && (await focused()) !== 'Save'; step++) await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    expect(await said(page, 'status')).toContain('The app is set up');
    await page.waitForFunction('document.activeElement.getAttribute("aria-label") === "What came of it"', undefined, { timeout: 5000 });
    expect([...mock.secrets.keys()]).toEqual(['ismalicious.x_api_key']);
    await page.close();
  });
});
