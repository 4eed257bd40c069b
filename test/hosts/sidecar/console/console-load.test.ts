import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasPagePackages, NEEDS, openBrowser } from '../../../splunk-ui/page-harness.ts';
import { publicAddresses } from '../../../support/open-test-engine.ts';
import { builtConsole, type ConsolePage, showConsole, startConsole, summaryOf } from './open-console.ts';

const TIMEOUT_MS = 120_000;

/** Pastes as a keyboard does; a page's own script may not. */
const PASTE = `{
  const data = new DataTransfer();
  data.setData('text/plain', window.pasted);
  const field = document.getElementById('values');
  const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
  if (field.dispatchEvent(event)) field.value = data.getData('text/plain');
}`;

/** Notes tasks of more than 50 ms and when the first row is there. */
const WATCH = `
  window.longTasks = [];
  new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map(({ duration }) => Math.round(duration)))).observe({ type: 'longtask' });
  window.startedMs = performance.now();
  new MutationObserver((_, observer) => {
    if (!document.querySelector('.answers tbody tr [data-label=Verdict] strong:not(:empty)')) return;
    window.firstMs = Math.round(performance.now() - window.startedMs);
    observer.disconnect();
  }).observe(document.body, { childList: true, subtree: true });
`;

describe.skipIf(!hasPagePackages)(`much at once in the console ${NEEDS}`, { timeout: TIMEOUT_MS }, () => {
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

  /** Pastes and waits; the bodies that were sent, by path. */
  async function run(page: ConsolePage, text: string, isKept: boolean) {
    const sent = new Map<string, string[]>();
    page.on('request', (request) => {
      const { pathname } = new URL(request.url?.() ?? '');
      const body = (request as { postData?(): string | null }).postData?.() ?? '';
      if (body !== '') sent.set(pathname, [...(sent.get(pathname) ?? []), body]);
    });
    await page.evaluate(`window.pasted = ${JSON.stringify(text)}; undefined`);
    await page.evaluate(WATCH);
    await page.evaluate(PASTE);
    if (!isKept) await page.getByRole('button', { name: 'Look up', exact: true }).click();
    const summary = await summaryOf(page, 60_000);
    if (process.env['ISMALICIOUS_SHOW_FIGURES']) console.log(summary, await page.evaluate('[window.firstMs, window.longTasks]'));
    return { sent, summary };
  }

  it('1,000 indicators go out in parts, the first one small, and one leaf of the table is shown', async () => {
    const page = await showConsole(browser, sidecar.origin);
    const { sent, summary } = await run(page, [...publicAddresses(999), '198.51.100.7'].join('\n'), false);
    expect(summary).toMatch(/^1,000 values: 1 malicious, /);
    const parts = sent.get('/v1/lookup')!.map((body) => JSON.parse(body) as { indicators: string[]; plan?: boolean });
    const looked = parts.filter(({ plan }) => plan !== true).map(({ indicators }) => indicators.length);
    expect(looked[0]).toBeLessThanOrEqual(100);
    expect(Math.max(...looked)).toBeLessThanOrEqual(1000);
    expect(looked.reduce((sum, count) => sum + count, 0)).toBe(1000);
    expect(await page.locator('.answers tbody tr').count()).toBe(50);
    expect(await page.locator('.answers .value').first().textContent()).toBe('198[.]51[.]100[.]7');
    expect(page.complaints).toEqual({ errors: [], outside: [] });
    await page.close();
  });

  it('a log of 1 MB is kept beside the field, read in pieces, and shown a part at a time', async () => {
    const page = await showConsole(browser, sidecar.origin);
    const addresses = publicAddresses(2000);
    let log = '';
    for (let n = 0; log.length < 1_000_000; n++)
      log += `Nov 29 17:00:01 fw01 kernel: DROP IN=eth0 SRC=${addresses[n % 2000]} DST=10.0.0.${n % 250} PROTO=TCP DPT=443 LEN=60 TTL=53\n`;
    const { sent, summary } = await run(page, log, true);
    expect(summary).toMatch(/^2,\d\d\d values: /);
    const texts = sent.get('/v1/extract')!.map((body) => (JSON.parse(body) as { text: string }).text);
    expect(texts.join('')).toBe(log);
    expect(texts[0]!.length).toBeLessThanOrEqual(16_384);
    expect(Math.max(...texts.map(({ length }) => length))).toBeLessThanOrEqual(131_072);
    expect(await page.getByLabel(/Paste anything/).inputValue()).toBe('');
    expect(await page.evaluate('document.querySelectorAll(".answers tbody tr").length')).toBe(50);
    expect(await page.evaluate('document.querySelector(".read .text").textContent.length')).toBeLessThanOrEqual(25_000);
    expect(page.complaints).toEqual({ errors: [], outside: [] });
    await page.close();
  });
});
