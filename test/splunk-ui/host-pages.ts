// The pages around what is tested, as far as Splunk's own pages matter for it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../support/fixtures.ts';
import { definitionOf } from './views.ts';

/** Light or dark. */
export type Scheme = 'light' | 'dark';

// What Splunk Web puts on every page; without it inputs say that they cannot reach Splunk.
function splunkGlobals(port: string, scheme: Scheme): string {
  const config = {
    SPLUNKD_PATH: '/en-US/splunkd/__raw',
    MRSPARKLE_PORT_NUMBER: Number(port),
    MRSPARKLE_ROOT_PATH: '',
    LOCALE: 'en-US',
    USERNAME: 'tester',
    BUILD_NUMBER: 'test',
    SERVER_ZONEINFO: '### SERIALIZED TIMEZONE FORMAT 1.0;Y-0 NW 55 54 43;$',
    SPLUNK_UI_THEME: scheme,
  };
  return `window.$C = ${JSON.stringify(config)}; window.__splunk_ui_theme__ = ${JSON.stringify(scheme)};`;
}

/** A page that shows one shipped dashboard; `tokens`: what a link to it brings along. */
export function dashboardPage(name: string, scheme: Scheme, port: string): string {
  const definition = JSON.stringify(definitionOf(name)).replaceAll('<', '\\u003c');
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${name}</title>
<link rel="stylesheet" href="/dashboard.css">
<style>html, body { margin: 0; height: 100%; background: ${scheme === 'dark' ? '#0b0c0e' : '#f2f4f5'} } #dashboard { height: 100%; min-height: 100vh }</style></head>
<body><main id="dashboard"></main>
<script>${splunkGlobals(port, scheme)} window.__SCHEME__ = ${JSON.stringify(scheme)}; window.__DEFINITION__ = ${definition};</script>
<script src="/dashboard.js"></script></body></html>`;
}

/** The panel of setup.xml as it is shipped. */
function setupPanel(): string {
  const view = readFileSync(join(projectRoot, 'splunk-app/default/data/ui/views/setup.xml'), 'utf8');
  return /<html>(.*)<\/html>/s.exec(view)?.[1] ?? '';
}

/** A page as Splunk makes it of setup.xml: RequireJS first, then the view's script, and its panel last. */
export function setupPage(scheme: Scheme, port: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Setup | isMalicious</title>
<style>body { margin: 0; font-family: sans-serif; background: ${scheme === 'dark' ? '#171d21' : '#f2f4f5'} }</style>
<script>${splunkGlobals(port, scheme)}</script>
<script src="/require.js"></script>
<script src="/setup.js"></script></head>
<body><main class="dashboard-body"><div class="panel-body html">${setupPanel()}</div></main></body></html>`;
}

/** What Splunk Web serves for pages that ask for the user's theme. */
export function themeScript(scheme: Scheme): string {
  return `window.__get_theme__ = { getTheme: () => Promise.resolve(${JSON.stringify(scheme)}) };`;
}
