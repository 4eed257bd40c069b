import { abuseipdbFeed } from './abuseipdb.ts';
import { csv } from './csv.ts';
import type { Feed } from './feed.ts';
import { feodo } from './feodo.ts';
import { malwarebazaar } from './malwarebazaar.ts';
import { misp } from './misp.ts';
import { mispFeed } from './misp-feed.ts';
import { openctiStream } from './opencti-stream.ts';
import { otx } from './otx.ts';
import { stix } from './stix.ts';
import { taxii } from './taxii.ts';
import { threatfox } from './threatfox.ts';
import { urlhaus } from './urlhaus.ts';

/** Every feed there is, in the order in which a run reads them. */
export const FEEDS: readonly Feed[] = [
  misp,
  mispFeed,
  openctiStream,
  otx,
  urlhaus,
  malwarebazaar,
  threatfox,
  feodo,
  abuseipdbFeed,
  taxii,
  stix,
  csv,
] as readonly Feed[];
