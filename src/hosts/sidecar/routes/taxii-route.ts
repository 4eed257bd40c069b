import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Clock, epochS } from '../../../engine/clock.ts';
import type { PipelinePart } from '../../../pipeline/pipeline-part.ts';
import { answerTaxii } from '../../../pipeline/taxii-collection.ts';
import type { SidecarSettings } from '../../../compose/sidecar-settings.ts';
import { NO_STORE } from './no-store.ts';

/** Where the TAXII server is; everything below it is its own. */
const TAXII_ROOT = '/taxii2';

/** What the route works with. */
export interface TaxiiRouteOptions {
  readonly pipeline: PipelinePart | undefined;
  readonly settings: SidecarSettings;
  readonly clock: Clock;
}

/** `GET /taxii2/…`: what was judged a threat, as a TAXII 2.1 collection that can be read and not written. */
export function addTaxiiRoute(app: FastifyInstance, { pipeline, settings, clock }: TaxiiRouteOptions): void {
  const answer = async (request: FastifyRequest, reply: FastifyReply) => {
    const store = (await pipeline?.store()) ?? null;
    if (store === null) return reply.code(NO_STORE.status).send(NO_STORE.body);
    const { pathname, searchParams } = new URL(request.url, 'http://sidecar');
    const { status, headers, body } = await answerTaxii(
      { path: pathname.slice(TAXII_ROOT.length), query: searchParams, accept: request.headers.accept ?? '', baseUrl: baseOf(request) },
      { store, nowS: epochS(clock), maxTlp: settings.taxiiMaxTlp },
    );
    // As bytes: to a text a character set is added that TAXII clients refuse.
    return reply
      .code(status)
      .headers(headers)
      .send(Buffer.from(JSON.stringify(body)));
  };
  app.get(TAXII_ROOT, answer);
  app.get(`${TAXII_ROOT}/*`, answer);
}

/** As the caller sees it: clients follow the addresses they are given. */
function baseOf({ headers }: FastifyRequest): string {
  const isSecure = headers['x-forwarded-proto'] === 'https';
  return `${isSecure ? 'https' : 'http'}://${headers.host ?? 'localhost'}${TAXII_ROOT}`;
}
