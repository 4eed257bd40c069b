import type { FastifyInstance } from 'fastify';
import type { Extracted } from '../../../model/extract/extracted.ts';
import { EXTRACT_BODY } from '../api-schemas.ts';

/** What the route works with. */
export interface ExtractRouteOptions {
  /** Finds indicators; loaded with the first call, since it brings the public suffix list. */
  readonly extract: () => Promise<(text: string, options: { isUnique?: boolean }) => Extracted[]>;
  readonly maxBodyBytes: number;
}

interface ExtractBody {
  readonly text: string;
  readonly unique?: boolean;
}

/** `POST /v1/extract`: a text in, the indicators in it out, with their place. Nothing is looked up. */
export function addExtractRoute(app: FastifyInstance, { extract, maxBodyBytes }: ExtractRouteOptions): void {
  const options = { schema: { body: EXTRACT_BODY }, bodyLimit: maxBodyBytes };
  app.post<{ Body: ExtractBody }>('/v1/extract', options, ({ body }) => find(extract, body));
}

async function find(extract: ExtractRouteOptions['extract'], { text, unique }: ExtractBody) {
  const found = (await extract())(text, { isUnique: unique === true });
  return { indicators: found.map(({ type, value, original, offset }) => ({ type, value, original, offset })) };
}
