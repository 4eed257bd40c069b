import * as z from 'zod/mini';
import { systemsNamed } from '../model/formats/stix-observable.ts';
import { declareSettings, endpoint } from '../config/setting.ts';
import { listOrNone } from './reading/loose-fields.ts';
import { defineFeed } from './feed.ts';
import { listStep } from './reading/list-step.ts';
import { collectPage } from './reading/collect-page.ts';
import { addStixObject } from './reading/stix-objects.ts';

const setting = declareSettings('feeds.stix');
const Settings = z.object({
  baseUrl: setting('baseUrl', z.optional(endpoint()), 'Where a STIX 2.1 bundle is fetched. Give this or `path`.'),
  path: setting('path', z.optional(z.string()), 'File with a STIX 2.1 bundle on this machine. Give this or `base_url`.'),
  headers: setting('headers', z._default(z.record(z.string(), z.string()), {}), 'Headers sent with the call to `base_url`.', {
    secret: true,
  }),
});

const Bundle = z.object({ type: z.literal('bundle'), objects: listOrNone });

/** A STIX 2.1 bundle, from a URL or a file. */
export const stix = defineFeed<typeof Settings, null>({
  id: 'stix',
  title: 'STIX 2.1 bundle',
  docs: 'https://docs.oasis-open.org/cti/stix/v2.1/stix-v2.1.html',
  settings: Settings,
  first: ({ settings, cursor }) => listStep('stix', settings, cursor),
  read(answer, _step, { cursor }) {
    const page = collectPage('stix');
    if (answer.status === 304) return page.page(null, cursor);
    const { objects } = Bundle.parse(answer.body);
    const systems = systemsNamed(objects);
    for (const object of objects) addStixObject(page, object, systems);
    return page.page(null, answer.headers.etag ?? null);
  },
});
