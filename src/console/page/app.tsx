// src/console/page/: what all tabs share: calls, token, look.
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { AlertsPage } from '../alerts/alerts-page.tsx';
import { ApiPage } from '../api/api-page.tsx';
import { HealthPage } from '../health/health-page.tsx';
import { LookUpPage } from '../look-up/look-up-page.tsx';
import { ThemeChoice, TokenField } from './settings.tsx';

interface Tab {
  readonly hash: string;
  readonly title: string;
  readonly page: ComponentType;
}

const TABS: readonly Tab[] = [
  { hash: '', title: 'Look up', page: LookUpPage },
  { hash: 'alerts', title: 'Alerts', page: AlertsPage },
  { hash: 'health', title: 'Health', page: HealthPage },
  { hash: 'api', title: 'API', page: ApiPage },
];

/** The tab of an address: `#health`; `#q=…` is a look-up; `/docs` is the API. */
function tabNow(): string {
  const hash = location.hash.slice(1);
  if (TABS.some((tab) => tab.hash === hash && hash !== '')) return hash;
  return hash === '' && location.pathname.endsWith('/docs') ? 'api' : '';
}

/** The whole page. A tab that was opened stays as it is while another one is shown. */
export function App() {
  const [now, setNow] = useState(tabNow);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set([now]));
  useEffect(() => {
    const follow = () => {
      const tab = tabNow();
      setNow(tab);
      setOpened((known) => new Set([...known, tab]));
    };
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <header class="top">
        <h1>
          <span class="mark" aria-hidden="true" /> isMalicious
        </h1>
        <nav aria-label="Pages">
          {TABS.map(({ hash, title }) => (
            <a key={hash} href={`#${hash}`} aria-current={now === hash ? 'page' : undefined} onClick={hash === '' ? leaveDocs : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <div class="settings">
          <TokenField />
          <ThemeChoice />
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {TABS.filter(({ hash }) => opened.has(hash)).map(({ hash, page: Page }) => (
          <div key={hash} hidden={now !== hash}>
            <Page />
          </div>
        ))}
      </main>
      <footer>
        Shown values are defanged; nothing is sent anywhere but to this sidecar. <a href="openapi.json">openapi.json</a> ·{' '}
        <a href="metrics">metrics</a> · <a href="readyz">ready?</a>
      </footer>
    </>
  );
}

/** Moves the focus without taking the place of what the address says. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

/** On `/docs` the empty hash is the API: look-ups are at the root. */
function leaveDocs(event: Event): void {
  if (!location.pathname.endsWith('/docs')) return;
  event.preventDefault();
  location.assign(location.pathname.replace(/docs$/, ''));
}
