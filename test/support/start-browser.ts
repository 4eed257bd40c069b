// Starts the workshop's browser and ends it: whether this machine has the libraries it wants. Fails with what it says.
import { openBrowser } from '../splunk-ui/page-harness.ts';

const browser = await openBrowser();
await browser.close();
