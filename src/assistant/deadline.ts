/** How long an assistant waits for a check; what comes later goes to the cache. */
export const ENRICH_DEADLINE_MS = 25_000;
