// Puts the setup page into the empty panel of default/data/ui/views/setup.xml.
import { createRoot } from 'react-dom/client';
import SplunkThemeProvider from '@splunk/themes/SplunkThemeProvider';
import { getThemeOptions, getUserTheme } from '@splunk/splunk-utils/themes';
import { SetupPage } from './setup-page.tsx';

const CONTAINER = 'ismalicious-setup';
const THEME_WAIT_MS = 3000;

// Splunk may run a view's script before its panels are on the page.
function whenThere(mount: (container: HTMLElement) => void): void {
  const found = document.getElementById(CONTAINER);
  if (found) {
    mount(found);
    return;
  }
  const observer = new MutationObserver(() => {
    const late = document.getElementById(CONTAINER);
    if (!late) return;
    observer.disconnect();
    mount(late);
  });
  observer.observe(document.documentElement, { childList: true, subtree: true });
}

/** The theme the user chose in Splunk; light when Splunk does not say in time. */
async function colorScheme(): Promise<'light' | 'dark'> {
  const tooLate = new Promise<string>((resolve) => {
    setTimeout(() => resolve('light'), THEME_WAIT_MS);
  });
  const { colorScheme: scheme } = getThemeOptions(await Promise.race([getUserTheme(), tooLate])) as { colorScheme?: string };
  return scheme === 'dark' ? 'dark' : 'light';
}

async function show(container: HTMLElement): Promise<void> {
  const scheme = await colorScheme();
  createRoot(container).render(
    <SplunkThemeProvider family="enterprise" colorScheme={scheme} density="comfortable">
      <SetupPage />
    </SplunkThemeProvider>,
  );
}

whenThere((container) => void show(container));
