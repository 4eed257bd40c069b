import * as z from 'zod/mini';
import { apiUrl, errorText, refusal } from './reading/http-call.ts';
import { defineProvider } from './provider.ts';
import { settingsOf } from './reading/provider-settings.ts';
import { verdictOf } from './reading/verdict-facts.ts';
import { droppedNote, readTolerant } from './reading/read-tolerant.ts';

const declare = settingsOf('defender_ti');
const GUID = /^[0-9a-zA-Z][0-9a-zA-Z.-]{0,127}$/;

const Settings = z.object({
  apiKey: declare.optionalSecret('apiKey', 'A ready Entra access token, if something else renews it; else set tenant, client and secret.'),
  tenantId: declare.setting('tenantId', z.optional(z.string().check(z.trim(), z.regex(GUID))), 'Entra tenant: its id or domain name.'),
  clientId: declare.setting(
    'clientId',
    z.optional(z.string().check(z.trim(), z.regex(GUID))),
    'Entra application (client) id, with the permission ThreatIntelligence.Read.All.',
  ),
  clientSecret: declare.optionalSecret('clientSecret', "The application's client secret."),
  baseUrl: declare.baseUrl('https://graph.microsoft.com'),
  loginUrl: declare.endpoint('loginUrl', 'https://login.microsoftonline.com', 'Where tokens are issued.'),
});

const Answer = z.object({
  score: z.number().check(z.gte(0), z.lte(100)),
  classification: z.enum(['unknown', 'neutral', 'suspicious', 'malicious', 'unknownFutureValue']),
  rules: z.array(z.object({ name: z.string(), severity: z.nullish(z.string()) })),
});

const Token = z.object({
  token_type: z.string().check(z.regex(/^bearer$/i)),
  access_token: z.string().check(z.regex(/^[\x21-\x7e]+$/)),
  expires_in: z.number().check(z.gt(0)),
});

/** Fields that decide: a fault in them is a fault of the answer. */
const DECIDES: ReadonlySet<string> = new Set(['score', 'classification']);

/** Microsoft Defender Threat Intelligence, through Microsoft Graph: the reputation of a host. Successor of PassiveTotal. */
export const defenderTi = defineProvider({
  id: 'defender_ti',
  title: 'Microsoft Defender TI',
  docs: 'https://learn.microsoft.com/en-us/graph/api/security-host-get-reputation',
  types: ['ipv4-addr', 'ipv6-addr', 'domain-name'],
  settings: Settings,
  concurrency: 4,
  cost: 1,
  maxTlp: 'GREEN',
  weight: 0.8,
  scale: 'Its own score and class. Neutral and unknown stay unknown: they do not mean clean. Unknown without a rule means not listed.',
  terms: 'Needs a Defender XDR or Sentinel licence, or the older Defender TI licence with API add-on.',

  missing({ apiKey, tenantId, clientId, clientSecret }) {
    return apiKey || (tenantId && clientId && clientSecret)
      ? null
      : 'set tenant_id, client_id and client_secret (or api_key to a ready token)';
  },

  signIn: {
    request({ apiKey, tenantId, clientId, clientSecret, baseUrl, loginUrl }) {
      if (apiKey || !tenantId || !clientId || !clientSecret) return null;
      const scope = `${new URL(baseUrl).origin}/.default`;
      return {
        url: apiUrl(loginUrl, '', tenantId, 'oauth2', 'v2.0', 'token'),
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, scope }).toString(),
      };
    },
    read(body) {
      const { access_token: token, expires_in: lifetimeS } = Token.parse(body);
      return { token, lifetimeS };
    },
  },

  request(indicator, { apiKey, baseUrl }, token) {
    const bearer = apiKey ?? token;
    if (!bearer) throw refusal('unauthorized', 'defender_ti', 'no token: set tenant_id, client_id and client_secret, or api_key');
    return {
      url: apiUrl(baseUrl, '/v1.0', 'security', 'threatIntelligence', 'hosts', indicator.value, 'reputation'),
      headers: { authorization: `Bearer ${bearer}`, accept: 'application/json' },
    };
  },

  judge({ status, body }) {
    // Graph says "no such host" with an error object; a wrong path has none.
    return status === 404 && /notfound/.test(errorText(body, 'error', 'code')) ? 'not-listed' : undefined;
  },

  read(body, indicator) {
    const { answer, dropped } = readTolerant(Answer, body, DECIDES);
    const { score, classification, rules } = answer;
    const isAccused = classification === 'malicious' || classification === 'suspicious';
    if (!isAccused && rules.length === 0 && score === 0) return null;
    return verdictOf('defender_ti', {
      ...droppedNote(dropped),
      verdict: isAccused ? classification : 'unknown',
      score: isAccused || score > 0 ? score : null,
      attributes: rules.map(({ name }) => name),
      reference: `https://security.microsoft.com/intel-explorer/search?query=${encodeURIComponent(indicator.value)}`,
    });
  },
});
