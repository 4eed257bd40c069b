/**
 * The file's layout, one entry per version; an entry never changes once released. Times are whole seconds since 1970 unless the name
 * says `_ms`; words (type, verdict, tier, TLP, state) are stored as the numbers of `codes.ts`; lists are joined by line feeds.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE indicator (
    id INTEGER PRIMARY KEY,
    value TEXT NOT NULL UNIQUE,
    type INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,
    added INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    confirmed INTEGER NOT NULL,
    valid_until INTEGER,
    sources TEXT NOT NULL,
    tags TEXT NOT NULL,
    tlp INTEGER,
    feed_confidence INTEGER,
    reference TEXT,
    verdict INTEGER,
    score INTEGER,
    confidence INTEGER,
    tier INTEGER,
    checked INTEGER,
    judged INTEGER,
    expires INTEGER,
    due INTEGER,
    failures INTEGER NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL DEFAULT 0,
    routed INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX indicator_due ON indicator (due) WHERE due IS NOT NULL;
  CREATE INDEX indicator_judged ON indicator (judged) WHERE verdict >= 2;
  CREATE INDEX indicator_unrouted ON indicator (id) WHERE routed < revision;
  CREATE TABLE answer (id INTEGER PRIMARY KEY REFERENCES indicator (id) ON DELETE CASCADE, json TEXT NOT NULL) STRICT;
  CREATE TABLE history (
    id INTEGER NOT NULL REFERENCES indicator (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    verdict INTEGER NOT NULL,
    score INTEGER,
    tier INTEGER NOT NULL,
    PRIMARY KEY (id, at)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    output TEXT NOT NULL,
    key TEXT NOT NULL,
    subject TEXT NOT NULL,
    payload TEXT NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at_ms INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    accepted INTEGER NOT NULL,
    settled INTEGER,
    UNIQUE (output, key)
  ) STRICT;
  CREATE INDEX outbox_pending ON outbox (output, id) WHERE state = 0;
  CREATE INDEX outbox_order ON outbox (output, subject, id) WHERE state = 0;
  CREATE TABLE outbox_pruned (output TEXT PRIMARY KEY, delivered INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE feed_cursor (feed TEXT PRIMARY KEY, cursor TEXT NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE feed_quarantine (
    id INTEGER PRIMARY KEY,
    feed TEXT NOT NULL,
    raw TEXT NOT NULL,
    reason TEXT NOT NULL,
    times INTEGER NOT NULL DEFAULT 1,
    at INTEGER NOT NULL,
    UNIQUE (feed, raw)
  ) STRICT;
  CREATE TABLE lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, until_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE run (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, report TEXT NOT NULL) STRICT;
  CREATE TABLE watch (
    value TEXT PRIMARY KEY,
    type INTEGER NOT NULL,
    reason TEXT NOT NULL,
    added_by TEXT NOT NULL,
    added INTEGER NOT NULL,
    every_s INTEGER NOT NULL,
    due INTEGER NOT NULL,
    until INTEGER,
    verdict INTEGER,
    score INTEGER,
    checked INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX watch_due ON watch (due);
  CREATE TABLE feedback (value TEXT PRIMARY KEY, verdict INTEGER NOT NULL, note TEXT NOT NULL, given_by TEXT NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE sighted_value (id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE sighted_asset (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE sighting (
    value_id INTEGER NOT NULL,
    asset_id INTEGER NOT NULL,
    day INTEGER NOT NULL,
    times INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (value_id, day, asset_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sighting_day ON sighting (day);
  `,
  // Analysts' words moved to the file of overrides, which every host reads; `feedback` is emptied into it (see `oldFeedback`).
  `
  CREATE TABLE listing (only INTEGER PRIMARY KEY CHECK (only = 1), changes INTEGER NOT NULL) STRICT;
  INSERT INTO listing VALUES (1, 0);
  CREATE INDEX indicator_overruled ON indicator (id) WHERE state >= 2;
  `,
  // Deliveries that were sent together: `batch` is the row of the first one, until the fate of each is known.
  `
  ALTER TABLE outbox ADD COLUMN batch INTEGER;
  CREATE INDEX outbox_batch ON outbox (output, batch) WHERE state = 0 AND batch IS NOT NULL;
  `,
  // Networks that feeds list: they name the addresses inside, and are never looked up themselves.
  `
  CREATE TABLE network (
    network TEXT PRIMARY KEY,
    state INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    confirmed INTEGER NOT NULL,
    valid_until INTEGER,
    sources TEXT NOT NULL,
    tags TEXT NOT NULL,
    tlp INTEGER,
    feed_confidence INTEGER,
    reference TEXT
  ) STRICT, WITHOUT ROWID;
  `,
  // Delivery by several processes: what is urgent goes first, an output that asked for patience or needs a person is left alone by all, and
  // the tickets that were opened are remembered.
  `
  ALTER TABLE outbox ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX outbox_urgent ON outbox (output, urgent DESC, id) WHERE state = 0 AND batch IS NULL;
  CREATE INDEX outbox_waiting ON outbox (output, next_at_ms) WHERE state = 0;
  CREATE TABLE output_pause (output TEXT PRIMARY KEY, until_ms INTEGER NOT NULL, reason TEXT NOT NULL, faults INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE ticket (
    output TEXT NOT NULL,
    subject TEXT NOT NULL,
    ref TEXT NOT NULL,
    is_open INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (output, subject)
  ) STRICT, WITHOUT ROWID;
  `,
  // What this pack said of an indicator in another house: kept only where nobody else lists it.
  `
  ALTER TABLE indicator ADD COLUMN feed_verdict INTEGER;
  ALTER TABLE indicator ADD COLUMN feed_score INTEGER;
  `,
  // When each watch was changed last, and what was taken off: machines that share a watchlist tell each other. Milliseconds since 1970 (UTC).
  `
  ALTER TABLE watch ADD COLUMN changed_ms INTEGER;
  CREATE TABLE unwatched (value TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  `,
];
