import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProviderResult } from '../../../../src/model/enrichment.ts';
import { createFakeEnricher } from '../../../support/fake-sidecar-enricher.ts';
import { publicAddresses } from '../../../support/open-test-engine.ts';
import { hasPagePackages, NEEDS, openBrowser } from '../../../splunk-ui/page-harness.ts';
import { builtConsole, showConsole, startConsole, summaryOf } from './open-console.ts';

const TIMEOUT_MS = 120_000;
const ACT = 'window.hit=1';
/** What turns text into code somewhere, each to be put between each pair of ends. */
const CORES = [
  `<script>${ACT}</script>`,
  `<img src=x onerror="${ACT}">`,
  `<svg onload=${ACT}>`,
  `<iframe srcdoc="<script>parent.${ACT}</script>"></iframe>`,
  `<a href="javascript:${ACT}">x</a>`,
  `<style>@import 'https://evil.test/x.css';body{display:none}</style>`,
  `<link rel=stylesheet href=https://evil.test/y.css>`,
  `<base href=https://evil.test/>`,
  `<meta http-equiv=refresh content="0;url=https://evil.test/">`,
  `<form action=https://evil.test/><button id=values>`,
  `javascript:${ACT}`,
  `data:text/html,<script>${ACT}</script>`,
  `{{constructor.constructor('${ACT}')()}}`,
  `\${${ACT}}`,
  `<math><mtext></p><mglyph><style><img src=x onerror=${ACT}>`,
  `<template><script>${ACT}</script></template>`,
  `<details open ontoggle=${ACT}>`,
  `<input autofocus onfocus=${ACT}>`,
  `<video><source onerror=${ACT}></video>`,
  `=HYPERLINK("https://evil.test/","x")`,
  `[x](javascript:${ACT})`,
  `![x](https://evil.test/z.png)`,
  `__proto__`,
  `\u202Eexe.gpj\u0000\u0007`,
  `\u2028\u2029</textarea>`,
];
const ENDS = [
  ['', ''],
  ['"', '"'],
  ["'", "'"],
  ['"><', ''],
  ["'>", '<!--'],
  ['</script>', '<script>'],
  ['</title></style></textarea>', ''],
  ['`', '`'],
  ['\\"', '//'],
  ['-->', '<!--'],
  ['&lt;', '&gt;'],
  [']]>', '<![CDATA['],
  ['\r\n', '\r\n'],
  ['|', '|'],
  ['&#60;', ';'],
  ['<', ''],
  ['😀', '\uD800'],
  ['\u0000', '\u0000'],
  ['*/', '/*'],
  ['\uFEFF', '\u200F'],
] as const;
const HOSTILE = ENDS.flatMap(([before, behind]) => CORES.map((core) => `${before}${core}${behind}`));

/** A source that says only that, everywhere. */
function sourceSaying(text: string, n: number): ProviderResult {
  return {
    provider: text,
    status: n % 2 === 0 ? 'ok' : 'unavailable',
    verdict: 'malicious',
    score: 90,
    confidence: 90,
    categories: [text],
    attributes: [text],
    sightings: 3,
    firstSeen: text,
    lastSeen: text,
    reference: n % 3 === 0 ? text : `javascript:${ACT}//${text}`,
    contribution: 90,
    message: text,
  };
}

describe.skipIf(!hasPagePackages)(`hostile texts in the console ${NEEDS}`, { timeout: TIMEOUT_MS }, () => {
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  let built: Awaited<ReturnType<typeof builtConsole>>;
  beforeAll(async () => {
    [browser, built] = await Promise.all([openBrowser(), builtConsole()]);
  }, TIMEOUT_MS);
  afterAll(async () => {
    await browser?.close();
    built?.close();
  });

  it(`${HOSTILE.length} of them, as all that a source says and as names of files, are shown as text and do nothing`, async () => {
    const values = publicAddresses(HOSTILE.length);
    const sayings = Object.fromEntries(
      HOSTILE.map((text, n) => [
        values[n],
        { verdict: 'malicious' as const, categories: [text], attributes: [text], message: text, providers: [sourceSaying(text, n)] },
      ]),
    );
    const sidecar = await startConsole(built.folder, { enricher: createFakeEnricher({ sayings }) });
    const page = await showConsole(browser, sidecar.origin);
    const perFile = Math.ceil(HOSTILE.length / 190);
    const files = Array.from({ length: Math.ceil(HOSTILE.length / perFile) }, (_, n) => ({
      name: HOSTILE[n * perFile]!.replaceAll('/', '∕').replaceAll('\u0000', '').slice(0, 200),
      mimeType: 'text/plain',
      buffer: Buffer.from(`${values.slice(n * perFile, (n + 1) * perFile).join('\n')}\n${HOSTILE[n]}`),
    }));
    await page.setInputFiles('input[type=file]', files);
    await page.locator('.price button.main').click();
    expect(await summaryOf(page, 60_000)).toMatch(/malicious/);
    // Every row of every leaf, and every panel.
    const seen = await page.evaluate<number>(`(async () => {
      const turn = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      let seen = 0;
      for (;;) {
        for (const button of [...document.querySelectorAll('.answers .value')]) {
          button.click();
          await turn();
          for (const details of document.querySelectorAll('.detail details')) details.open = true;
          if (document.querySelector('.detail .sources')) seen += 1;
        }
        const next = [...document.querySelectorAll('.answers ~ .leaves button')].find(({ textContent }) => textContent === 'Next');
        if (!next || next.disabled) return seen;
        next.click();
        await turn();
      }
    })()`);
    expect(seen).toBeGreaterThanOrEqual(HOSTILE.length);
    for (const format of ['list', 'markdown', 'csv', 'json', 'stix', 'spl', 'kql', 'esql']) await page.selectOption('.act select', format);
    const foreign =
      await page.evaluate(`[window.hit ?? 0, document.querySelectorAll('#page :is(script,img,iframe,style,link,base,meta,video,math,template,object,embed)').length,
      [...document.querySelectorAll('#page a')].filter(({ protocol }) => !['http:', 'https:'].includes(protocol)).length,
      [...document.querySelectorAll('#page *')].filter((one) => [...one.attributes].some(({ name }) => name.startsWith('on'))).length]`);
    expect(foreign).toEqual([0, 0, 0, 0]);
    expect(page.complaints).toEqual({ errors: [], outside: [] });
    await page.close();
    await sidecar.close();
  });
});
