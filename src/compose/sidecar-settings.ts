import * as z from 'zod/mini';
import { declareSettings } from '../config/setting.ts';
import { tokensFault } from './sidecar-access/tokens.ts';
import { TLP_LABELS } from '../model/tlp.ts';
import { DEFAULT_FIELDS } from '../events/wanted-fields.ts';
import { MAX_VALUE_BYTES } from '../model/parsing/longest-value.ts';

const setting = declareSettings('sidecar');
const wholeFrom = (least: number, most = Number.MAX_SAFE_INTEGER) => z.int().check(z.gte(least), z.lte(most));
const texts = () => z.array(z.string().check(z.minLength(1)));

const MIB = 1024 * 1024;
const FIELD_NAME = /^[^.\s]+(\.[^.\s]+)*$/;

/** Settings of the sidecar (block `sidecar`). */
export const SidecarSettings = z.object({
  host: setting(
    'host',
    z._default(z.string().check(z.minLength(1)), '127.0.0.1'),
    'Address to listen on; one that is not loopback demands `token`.',
  ),
  port: setting('port', z._default(wholeFrom(0, 65_535), 8787), 'Port to listen on, 0 to 65535; 0: any free one.'),
  token: setting(
    'token',
    z.optional(z.string().check(z.minLength(8))),
    'Secret that callers send as `Authorization: Bearer …` or `x-api-key`, at least 8 characters; none: no check, and loopback only.',
    { secret: true },
  ),
  tokens: setting(
    'tokens',
    z.optional(
      z.string().check(z.refine((text) => tokensFault(text) === null, { error: ({ input }) => tokensFault(String(input)) ?? '' })),
    ),
    'Further tokens, each with what it may do: `read,enrich TOKEN`, separated by lines or semicolons, at least 16 characters each. `read`: metrics, lists and TAXII, and GET of the engine; `enrich`: look-ups; `write`: feedback, watch list, and all else that goes to the engine.',
    { secret: true },
  ),
  tokensFile: setting(
    'tokensFile',
    z.optional(z.string().check(z.minLength(1))),
    'File with such tokens, one a line. It is read again within a second or two when it changes: add the new token, move the callers, take the old one out.',
  ),
  socket: setting(
    'socket',
    z.optional(z.string().check(z.regex(/^\/./), z.maxLength(100))),
    'Path of a UNIX socket to listen on in place of host and port; only this user can connect. Its folder has to be there.',
  ),
  tlsCertFile: setting(
    'tlsCertFile',
    z.optional(z.string().check(z.minLength(1))),
    'PEM file with the certificate of this sidecar and its intermediates: callers come by https then (TLS 1.2 and later), and by nothing else. It is read again within a second or two when it changes; none: plain http.',
  ),
  tlsKeyFile: setting(
    'tlsKeyFile',
    z.optional(z.string().check(z.minLength(1))),
    'PEM file with its private key; by default it is in tls_cert_file too.',
  ),
  tlsKeyPassphrase: setting('tlsKeyPassphrase', z.optional(z.string()), 'Passphrase of the private key.', { secret: true }),
  tlsKeyPassphraseFile: setting(
    'tlsKeyPassphraseFile',
    z.optional(z.string().check(z.minLength(1))),
    'File whose first line is the passphrase of the private key; instead of tls_key_passphrase.',
  ),
  tlsClientCaFile: setting(
    'tlsClientCaFile',
    z.optional(z.string().check(z.minLength(1))),
    'PEM file with the authorities that sign the certificates of callers (mTLS): who shows none of theirs is not answered at all. The token is asked for as well; none: callers need no certificate.',
  ),
  allowedHosts: setting(
    'allowedHosts',
    z._default(texts(), []),
    'Names by which callers may reach a sidecar that has no token, besides localhost and loopback addresses.',
  ),
  fields: setting(
    'fields',
    z._default(z.array(z.string().check(z.regex(FIELD_NAME))).check(z.maxLength(1000)), [...DEFAULT_FIELDS]),
    'ECS fields whose values are looked up, as dotted names.',
  ),
  extractFields: setting(
    'extractFields',
    z._default(z.array(z.string().check(z.regex(FIELD_NAME))).check(z.maxLength(100)), []),
    'Fields with texts, such as `message`: the indicators in the first 65536 bytes of each are looked up. For events that are not parsed yet; /v1/enrich and the gateway only.',
  ),
  compat: setting(
    'compat',
    z._default(z.enum(['none', 'playbook']), 'none'),
    '`playbook`: write the vendor playbook’s `threat.enrichment.{malicious,score,category}` too; `none`: do not.',
  ),
  matchedType: setting(
    'matchedType',
    z._default(z.enum(['indicator_match_rule', 'investigation_time', 'none']), 'indicator_match_rule'),
    '`matched.type` of the entries; Kibana hides all but these two and entries without one (`none`).',
  ),
  timeoutMs: setting(
    'timeoutMs',
    z._default(wholeFrom(1, 600_000), 10_000),
    'Milliseconds until /v1/enrich, /v1/lookup and /check answer with what they have, 1 to 600000.',
  ),
  logstashTimeoutMs: setting(
    'logstashTimeoutMs',
    z._default(wholeFrom(1, 600_000), 2000),
    'Milliseconds until /v1/logstash answers with what it has, 1 to 600000; below the filter’s socket_timeout.',
  ),
  maxBodyBytes: setting(
    'maxBodyBytes',
    z._default(wholeFrom(1024), 16 * MIB),
    'Longest body of /v1/enrich in bytes, also once inflated; a longer one is refused.',
  ),
  maxSmallBodyBytes: setting(
    'maxSmallBodyBytes',
    z._default(wholeFrom(1024), MIB),
    'Longest body of all other calls in bytes; a longer one is refused.',
  ),
  maxHeldBytes: setting(
    'maxHeldBytes',
    z._default(wholeFrom(MIB), 192 * MIB),
    'Most bytes that the bodies and answers of all calls may hold together, in each process; one beyond it is answered 503 with Retry-After. Those of up to 65536 bytes do not count.',
  ),
  maxExtracted: setting(
    'maxExtracted',
    z._default(wholeFrom(1, 1_000_000), 10_000),
    'Indicators after which an answer of /v1/extract ends, 1 to 1000000: it says `truncated` then, and where to go on. It may hold some hundred more.',
  ),
  maxEvents: setting('maxEvents', z._default(wholeFrom(1), 10_000), 'Most events in one call; with more it is refused.'),
  maxIndicators: setting('maxIndicators', z._default(wholeFrom(1), 1000), 'Most indicators in one look-up call; with more it is refused.'),
  maxValueBytes: setting(
    'maxValueBytes',
    z._default(wholeFrom(64, 65_536), MAX_VALUE_BYTES),
    'Longest value that is looked up, in bytes; of a longer URL only the host is, of anything else nothing (status invalid).',
  ),
  maxDepth: setting(
    'maxDepth',
    z._default(wholeFrom(4, 200), 32),
    'Brackets that may be open at once in a body, 4 to 200; deeper ones are refused.',
  ),
  maxConcurrent: setting(
    'maxConcurrent',
    z._default(wholeFrom(1), 1024),
    'Calls worked on at once; one more is answered 503 with Retry-After. Never more than one for each MiB that the heap may grow to.',
  ),
  maxConnections: setting('maxConnections', z._default(wholeFrom(1), 4096), 'Connections open at once; more are not accepted.'),
  requestTimeoutMs: setting(
    'requestTimeoutMs',
    z._default(wholeFrom(100), 30_000),
    'Milliseconds in which the headers of a request have to arrive, and for which its body may pause on its way; then it is cut off with 408. A body that keeps moving may take any time.',
  ),
  keepAliveMs: setting(
    'keepAliveMs',
    z._default(wholeFrom(1000), 65_000),
    'Milliseconds an idle connection is kept; longer than callers keep theirs, so that none is closed under a request.',
  ),
  drainMs: setting('drainMs', z._default(wholeFrom(0), 5000), 'Milliseconds that calls in progress have to finish when the sidecar stops.'),
  frontCacheEntries: setting(
    'frontCacheEntries',
    z._default(wholeFrom(4, 2 ** 22), 131_072),
    'Values whose answers are kept ready to be copied into events; rounded up to a power of two.',
  ),
  frontCacheMs: setting(
    'frontCacheMs',
    z._default(wholeFrom(0, 3_600_000), 60_000),
    'Milliseconds after which such an answer is asked of the verdict cache again.',
  ),
  pipelineStore: setting(
    'pipelineStore',
    z._default(z.enum(['auto', 'always', 'never']), 'auto'),
    'The pipeline’s store (pipeline.sqlite of the state folder) behind /v1/watchlist, /v1/triage and /taxii2: `auto` where it is there, `always` made when it is not, `never`.',
  ),
  deliver: setting(
    'deliver',
    z._default(z.boolean(), true),
    'Whether the sidecar sends what waits in the pipeline’s journal to the outputs, as soon as it is there; false: `ismalicious deliver` and the runs of the pipeline do.',
  ),
  taxiiMaxTlp: setting(
    'taxiiMaxTlp',
    z._default(z.enum(TLP_LABELS), 'AMBER'),
    'Strictest TLP label that /taxii2 gives out; unmarked indicators count as AMBER.',
  ),
  workers: setting(
    'workers',
    z._default(wholeFrom(1, 64), 1),
    'Processes that share the port; more than one pays for batches on a machine with idle cores.',
  ),
});

export type SidecarSettings = z.infer<typeof SidecarSettings>;

/** What a sidecar is started with. What is set here goes before the settings. */
export interface SidecarStart {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly configPath: string | undefined;
  readonly profile: string | undefined;
  readonly set: Partial<Pick<SidecarSettings, 'host' | 'port' | 'workers'>>;
  readonly version: string;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

/** How it ended. */
export interface SidecarEnd {
  readonly hasFailed: boolean;
  /** Why it could not start, and what to do; `null`: it could. */
  readonly fault: string | null;
  /** Whether the settings are at fault, not what else runs on this machine. */
  readonly isMisused: boolean;
}
