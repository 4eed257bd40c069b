// Shows one dashboard definition as Splunk's Studio would, for the tests: the definition comes unchanged from the view's XML.
import { createRoot } from 'react-dom/client';
import SplunkThemeProvider from '@splunk/themes/SplunkThemeProvider';
import { DashboardContextProvider } from '@splunk/dashboard-context';
import DashboardCore from '@splunk/dashboard-core';
import EnterpriseViewOnlyPreset from '@splunk/dashboard-presets/EnterpriseViewOnlyPreset';

/** What a test page says and reads. */
interface HarnessWindow {
  readonly __DEFINITION__: object;
  readonly __SCHEME__: 'light' | 'dark';
  /** Tokens after the last change. */
  __tokens?: unknown;
  /** Links that were followed: type, options of the definition, and the row that was clicked. */
  __links: { type: string; options: unknown; payload: unknown }[];
  __faults: string[];
}

const page = window as unknown as HarnessWindow;
page.__links = [];
page.__faults = [];

// Splunk Web brings these two handlers; the public presets lack them, and a click would do nothing, in silence.
function recorderOf(type: string) {
  return class Recorder {
    readonly options: unknown;

    constructor(options: unknown) {
      this.options = options;
    }

    canHandle(): boolean {
      return true;
    }

    handle(event: { payload?: unknown }): Promise<never[]> {
      page.__links.push({ type, options: this.options, payload: event.payload });
      return Promise.resolve([]);
    }
  };
}

const LINKS = ['drilldown.linkToDashboard', 'drilldown.linkToSearch'];
const preset = {
  ...EnterpriseViewOnlyPreset,
  eventHandlers: { ...EnterpriseViewOnlyPreset.eventHandlers, ...Object.fromEntries(LINKS.map((type) => [type, recorderOf(type)])) },
};

function Harness() {
  return (
    <SplunkThemeProvider family="enterprise" colorScheme={page.__SCHEME__} density="comfortable">
      <DashboardContextProvider
        preset={preset as never}
        initialDefinition={page.__DEFINITION__ as never}
        onTokenBindingChange={(tokens: unknown) => (page.__tokens = tokens)}
      >
        <DashboardCore
          width="100%"
          height="100%"
          dashboardCoreApiRef={() => undefined}
          onValidationError={(error: unknown) => page.__faults.push(JSON.stringify(error))}
        />
      </DashboardContextProvider>
    </SplunkThemeProvider>
  );
}

const container = document.getElementById('dashboard');
if (container) createRoot(container).render(<Harness />);
