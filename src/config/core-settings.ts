import * as z from 'zod/mini';
import { settingMeta } from './setting.ts';
import { isSafeRedisAddress } from '../model/parsing/redis-address.ts';
import { TLP_LABELS } from '../model/tlp.ts';

const wholeFrom = (least: number, most = Number.MAX_SAFE_INTEGER) => z.int().check(z.gte(least), z.lte(most));
const share = () => wholeFrom(0, 100);

function setting<T extends z.ZodMiniType>(schema: T, env: string, doc: string, options: { secret?: boolean } = {}): T {
  settingMeta.add(schema, { doc, env: `ISMALICIOUS_${env}`, ...options });
  return schema;
}

const AWAY_HABITS = ['own', 'wait', 'ask'] as const;

/** The verdict cache and its lifetimes. */
export const CacheSettings = z.object({
  path: setting(
    z.optional(z.string()),
    'CACHE_PATH',
    'File of the shared verdict cache; by default verdicts.sqlite in the state folder; `memory` keeps nothing on disk.',
  ),
  memoryEntries: setting(
    z._default(wholeFrom(1000), 500_000),
    'CACHE_MEMORY_ENTRIES',
    'Verdicts kept in memory, at least 1000; about 260 bytes each. Never more than one for each 2 KiB that the heap may grow to.',
  ),
  listedTtlS: setting(z._default(wholeFrom(1), 86_400), 'CACHE_LISTED_TTL_S', 'Seconds an answer about a listed indicator is reused.'),
  unknownTtlS: setting(z._default(wholeFrom(1), 21_600), 'CACHE_UNKNOWN_TTL_S', 'Seconds "not listed" and "unknown" are reused.'),
  pendingTtlS: setting(
    z._default(wholeFrom(1), 60),
    'CACHE_PENDING_TTL_S',
    'Seconds an answer that the provider is still working on is reused.',
  ),
  staleS: setting(
    z._default(wholeFrom(0), 604_800),
    'CACHE_STALE_S',
    'Seconds past its lifetime an answer is still given, as stale, when the provider is down; 0: never.',
  ),
  revalidateS: setting(
    z.optional(wholeFrom(0)),
    'CACHE_REVALIDATE_S',
    'Seconds past its lifetime an answer is given at once, as stale, and renewed in the background; 0: never. By default 3600 in the sidecar, 0 elsewhere.',
  ),
  redisUrl: setting(
    z.optional(
      z.string().check(
        z.refine(isSafeRedisAddress, {
          error:
            'has to be like rediss://user:password@host:6379/0, rediss+sentinel://host,host/name or rediss+cluster://host,host (redis instead of rediss only without a password, or to this machine)',
        }),
      ),
    ),
    'REDIS_URL',
    'Redis or Valkey through which machines share answers, leases, limits, budgets, refusals, overrides and the watchlist; by default none. `rediss` encrypts; `+sentinel` names the sentinels, `+cluster` some nodes of a cluster.',
    { secret: true },
  ),
  redisCaFile: setting(
    z.optional(z.string()),
    'REDIS_CA_FILE',
    'PEM file with the authorities that sign the certificate of Redis; by default those of Node. Its certificate is checked always.',
  ),
  redisPrefix: setting(
    z._default(z.string().check(z.regex(/^[A-Za-z0-9._-]{1,64}$/)), 'ismalicious'),
    'REDIS_PREFIX',
    'What every key in Redis begins with: 1 to 64 letters, digits, dots, dashes. Sites with another one share nothing.',
  ),
  replicas: setting(
    z.optional(wholeFrom(1, 1000)),
    'CACHE_REPLICAS',
    'Processes that share the limits, 1 to 1000: while Redis is away each keeps to this part of them. By default as many as were last seen there, or 2.',
  ),
  redisPatienceS: setting(
    z._default(wholeFrom(0, 3600), 30),
    'REDIS_PATIENCE_S',
    'Seconds, 0 to 3600, that new look-ups wait for a Redis that is away, within their deadlines; 0: not at all. Then `cache.redis_away` says what becomes of them.',
  ),
  redisAway: setting(
    z._default(z.enum(AWAY_HABITS), 'own'),
    'REDIS_AWAY',
    'What becomes of new look-ups while Redis is away for longer than that: own (each value is asked about by one machine, the others say `unavailable`), wait (none is asked about), ask (every machine asks, and values are paid several times).',
  ),
});

/** Named sets of tiers, and how the score is made. */
export const SCORING_PRESETS = ['siem', 'pipeline', 'seed'] as const;

/** Score, tier and auto-resolve. */
export const ScoringSettings = z.object({
  preset: setting(
    z._default(z.enum(SCORING_PRESETS), 'siem'),
    'SCORING_PRESET',
    'siem (tiers from 80, 60 and 40), pipeline (70 and 40: high, medium, rest), or seed (the published formula over VirusTotal and AbuseIPDB, tiers as siem).',
  ),
  p1: setting(z.optional(share()), 'SCORING_P1', "Lowest score of tier p1, 0 to 100; by default the preset's."),
  p2: setting(z.optional(share()), 'SCORING_P2', "Lowest score of tier p2, 0 to 100, below p1; by default the preset's."),
  watch: setting(
    z.optional(share()),
    'SCORING_WATCH',
    "Lowest score of tier watch, 0 to 100, not above p2; what is lower is tier log. By default the preset's.",
  ),
  autoResolveConfidence: setting(
    z._default(share(), 80),
    'SCORING_AUTO_RESOLVE_CONFIDENCE',
    'Lowest confidence, 0 to 100, with which a clean answer of tier log may be resolved without a person.',
  ),
  allowlistMaxScore: setting(
    z._default(share(), 59),
    'SCORING_ALLOWLIST_MAX_SCORE',
    'What other providers say counts at most this, 0 to 100, while one has the value on an allow list; 100: allow lists change nothing.',
  ),
  decay: setting(
    z._default(z.boolean(), false),
    'SCORING_DECAY',
    'Whether a score counts less the longer ago its provider last saw the value: half after each half-life below.',
  ),
  halfLifeIpDays: setting(
    z._default(wholeFrom(0, 36_500), 30),
    'SCORING_HALF_LIFE_IP_DAYS',
    'Half-life of IP addresses in days; 0: they do not decay.',
  ),
  halfLifeDomainDays: setting(
    z._default(wholeFrom(0, 36_500), 60),
    'SCORING_HALF_LIFE_DOMAIN_DAYS',
    'Half-life of domains in days; 0: they do not decay.',
  ),
  halfLifeUrlDays: setting(
    z._default(wholeFrom(0, 36_500), 30),
    'SCORING_HALF_LIFE_URL_DAYS',
    'Half-life of URLs in days; 0: they do not decay.',
  ),
  halfLifeEmailDays: setting(
    z._default(wholeFrom(0, 36_500), 90),
    'SCORING_HALF_LIFE_EMAIL_DAYS',
    'Half-life of e-mail addresses in days; 0: they do not decay.',
  ),
  halfLifeFileDays: setting(
    z._default(wholeFrom(0, 36_500), 0),
    'SCORING_HALF_LIFE_FILE_DAYS',
    'Half-life of file hashes in days; 0: a file stays the file it is.',
  ),
});

/** How providers are asked. */
export const EngineSettings = z.object({
  stopEarly: setting(
    z._default(z.boolean(), false),
    'ENGINE_STOP_EARLY',
    'Whether free providers are asked first, and paid ones only about what they could still move to another tier. Saves credits, costs time.',
  ),
  maxWaiting: setting(
    z.optional(wholeFrom(1000)),
    'ENGINE_MAX_WAITING',
    'Look-ups (a value at a provider) that may wait at once in each process, at least 1000; new values beyond are answered `unavailable` at once, known ones as ever. By default one for each 24 KiB that the heap may grow to.',
  ),
});

/** What may be sent to providers. */
export const PrivacySettings = z.object({
  ownDomains: setting(
    z._default(z.array(z.string()), []),
    'PRIVACY_OWN_DOMAINS',
    'Domains of your own, with everything below them: never sent out.',
  ),
  ownNetworks: setting(z._default(z.array(z.string()), []), 'PRIVACY_OWN_NETWORKS', 'Networks of your own in CIDR form: never sent out.'),
  allowUnknownSuffixes: setting(
    z._default(z.boolean(), false),
    'PRIVACY_ALLOW_UNKNOWN_SUFFIXES',
    'Whether names below no public suffix may be sent out; false: they are taken for internal names.',
  ),
  sendEmailAddresses: setting(
    z._default(z.boolean(), false),
    'PRIVACY_SEND_EMAIL_ADDRESSES',
    'Whether e-mail addresses may be sent out: they are personal data.',
  ),
  tlp: setting(
    z._default(z.enum(TLP_LABELS), 'CLEAR'),
    'PRIVACY_TLP',
    'How your indicators are marked; providers cleared for less are not asked.',
  ),
  pap: setting(
    z._default(z.enum(['CLEAR', 'GREEN', 'AMBER', 'RED']), 'CLEAR'),
    'PRIVACY_PAP',
    'Permissible actions on your indicators (PAP); RED: only providers cleared for AMBER+STRICT, servers of your own, are asked.',
  ),
  auditLog: setting(
    z._default(z.boolean(), true),
    'PRIVACY_AUDIT_LOG',
    'Whether egress.ndjson in the state folder records what was sent to whom.',
  ),
  audit: setting(
    z._default(z.enum(['normal', 'required']), 'normal'),
    'PRIVACY_AUDIT',
    'required: nothing is sent to any provider while egress.ndjson cannot be written. normal: it is sent, and the gap is reported.',
  ),
});

/** Own lists: what is known without asking anybody. */
export const LocalSettings = z.object({
  lists: setting(
    z._default(z.array(z.string()), []),
    'LOCAL_LISTS',
    'Files with your own indicators (CSV, JSON, plain list or STIX 2.1 bundle), read again when they change.',
  ),
  allowLists: setting(
    z._default(z.array(z.string()), []),
    'LOCAL_ALLOW_LISTS',
    'Files with values never to look up (CSV with owner and reason, or plain list); they are marked skipped_allowlist.',
  ),
  warningLists: setting(
    z._default(z.array(z.string()), []),
    'LOCAL_WARNING_LISTS',
    'Warning lists in MISP format (files, or folders of <name>/list.json): their members get the attribute warning-list:<name>.',
  ),
  falsePositiveLists: setting(
    z._default(z.array(z.string()), []),
    'LOCAL_FALSE_POSITIVE_LISTS',
    'Warning lists whose members, besides that, cap what providers say (scoring.allowlist_max_score).',
  ),
  asnDatabase: setting(
    z.optional(z.string()),
    'LOCAL_ASN_DATABASE',
    'MaxMind DB (.mmdb) that tells the AS numbers of addresses (GeoLite2-ASN, DB-IP ASN Lite, IPinfo Lite), so that AS numbers on lists and in feeds match; read again when it changes. By default none: they match nothing.',
  ),
  sample: setting(
    z.optional(z.boolean()),
    'LOCAL_SAMPLE',
    'Whether the small sample feed answers; by default only while no provider has a key.',
  ),
  pipelineStore: setting(
    z._default(z.boolean(), true),
    'LOCAL_PIPELINE_STORE',
    'Whether what the feeds of the pipeline listed counts like an own list, where pipeline.sqlite is in the state folder.',
  ),
});
