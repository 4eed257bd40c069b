import * as z from 'zod/mini';
import { declareSettings, type SettingsSchema } from '../config/setting.ts';

const runtime = declareSettings('runtime');
const splunkd = declareSettings('splunkd');
const kvstore = declareSettings('kvstore');
const search = declareSettings('search');

const node = z.optional(z.string());
runtime(
  'node',
  node,
  'Path of a Node, 22 or newer, that runs the programs; by default the one the package brings, else the first on PATH.',
);

const SHA256 = /^([0-9a-f]{2}:?){32}$/i;

/** How the app's programs reach splunkd on this machine. */
export const SplunkdSettings = z.object({
  caFile: splunkd(
    'caFile',
    z.optional(z.string()),
    "PEM file with the authority that signed splunkd's certificate; added to the built-in ones.",
  ),
  certificateSha256: splunkd(
    'certificateSha256',
    z.optional(z.string().check(z.regex(SHA256, { error: 'has to be a SHA-256 fingerprint, 64 hexadecimal digits' }))),
    "SHA-256 fingerprint of splunkd's own certificate: exactly that one is accepted, no matter who signed it. By default that of the certificate file splunkd uses on this machine, where it can be read.",
  ),
  trustLoopback: splunkd(
    'trustLoopback',
    z._default(z.boolean(), false),
    'Whether any certificate is accepted from 127.0.0.1, ::1 and localhost when none is pinned; never from another host.',
  ),
  timeoutMs: splunkd(
    'timeoutMs',
    z._default(z.int().check(z.gte(100), z.lte(60_000)), 5000),
    'Milliseconds one call may take, 100 to 60000.',
  ),
});

/** The verdict cache shared by a search head cluster. */
export const KvStoreSettings = z.object({
  share: kvstore(
    'share',
    z._default(z.boolean(), false),
    'Whether provider answers are shared through the KV store collection ismalicious_cache.',
  ),
  batchSize: kvstore('batchSize', z._default(z.int().check(z.gte(1), z.lte(1000)), 500), 'Rows in one call to the KV store, 1 to 1000.'),
  maxRowsPerSearch: kvstore(
    'maxRowsPerSearch',
    z._default(z.int().check(z.gte(0), z.lte(1_000_000)), 50_000),
    'Most answers one search writes into the collection.',
  ),
});

/** The search command. */
export const SearchSettings = z.object({
  remember: search(
    'remember',
    z._default(z.boolean(), true),
    'Whether a search leaves what it learnt, ready to be shown, for the next one of the same shape. Answers keep their lifetimes.',
  ),
});

/** The blocks that only the Splunk app has. `runtime` is read by bin/ismalicious.sh. */
export const SPLUNK_BLOCKS = {
  runtime: z.object({ node }),
  splunkd: SplunkdSettings,
  kvstore: KvStoreSettings,
  search: SearchSettings,
} satisfies Readonly<Record<string, SettingsSchema>>;
