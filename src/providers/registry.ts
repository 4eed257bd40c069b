import { abuseipdb } from './abuseipdb.ts';
import { defenderTi } from './defender-ti.ts';
import { greynoise } from './greynoise.ts';
import { internetdb } from './internetdb.ts';
import { ismalicious } from './ismalicious.ts';
import { malwarebazaar } from './malwarebazaar.ts';
import { misp } from './misp.ts';
import { opencti } from './opencti.ts';
import { otx } from './otx.ts';
import { passivetotal } from './passivetotal.ts';
import type { Provider } from './provider.ts';
import { remote } from './remote.ts';
import { safebrowsing } from './safebrowsing.ts';
import { shodan } from './shodan.ts';
import { threatfox } from './threatfox.ts';
import { urlhaus } from './urlhaus.ts';
import { urlscan } from './urlscan.ts';
import { virustotal } from './virustotal.ts';

/** Every provider that is asked, in the order of the docs. A new one: its file, its fixture, its line here. */
export const providers: readonly Provider[] = [
  ismalicious,
  virustotal,
  abuseipdb,
  shodan,
  internetdb,
  misp,
  otx,
  urlscan,
  safebrowsing,
  malwarebazaar,
  threatfox,
  urlhaus,
  passivetotal,
  defenderTi,
  opencti,
  greynoise,
  remote,
];
