import * as z from 'zod/mini';
import type { OutputSignIn } from '../output.ts';

/** What Entra needs for a token by client credentials. */
export interface AzureClient {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly loginUrl: string;
}

const TokenAnswer = z.object({ access_token: z.string().check(z.minLength(1)), expires_in: z.coerce.number() });

/** Entra (Azure AD) client credentials for one scope. */
export function azureSignIn<S extends AzureClient>(scope: string): OutputSignIn<S> {
  return {
    request: ({ tenantId, clientId, clientSecret, loginUrl }) => ({
      kind: 'http',
      url: new URL(`${loginUrl}/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`),
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, scope }).toString(),
    }),
    read(body) {
      const { access_token: token, expires_in: lifetimeS } = TokenAnswer.parse(body);
      return { token, lifetimeS };
    },
  };
}
