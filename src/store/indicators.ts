import { deleteInSlices } from './delete-in-slices.ts';
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { Indicator } from '../model/indicator.ts';
import { joinList, splitList, stateCodes, tierCodes, tlpCodes, typeCodes, verdictCodes } from './codes.ts';
import { inTransaction } from '../disk/sqlite-faults.ts';
import { decayedScore, type HalfLives } from './decay.ts';
import type { Observation } from '../model/observation.ts';
import type { ObserveCounts, StoredIndicator } from './observation.ts';

/** Tags that are kept of one indicator: a value that every feed tags differently would grow without end. */
export const MAX_TAGS = 64;
/** Sources that are named of one indicator. */
export const MAX_SOURCES = 64;

type Row = Record<string, SQLOutputValue>;

/** The indicators themselves: what feeds said about them. */
export interface IndicatorTable {
  /** Merges observations in one transaction. Known indicators are updated, and asked again only when their answer has expired. */
  observe(observations: readonly Observation[], nowS: number): ObserveCounts;
  get(value: string, nowS: number): StoredIndicator | null;
  /** Indicators whose look-up is due, oldest due first. */
  due(nowS: number, limit: number): readonly StoredIndicator[];
  countDue(nowS: number): number;
  /** Walks all indicators in the order they were added; `afterId` 0 begins. */
  page(afterId: number, limit: number, nowS: number): readonly StoredIndicator[];
  /** Removes indicators not confirmed since `beforeS` that have no pending delivery; gives how many. */
  purge(beforeS: number): number;
}

/** Prepares the statements on an open store. */
export function indicatorTable(db: DatabaseSync, halfLives: HalfLives): IndicatorTable {
  const byValue = db.prepare('SELECT * FROM indicator WHERE value = ?');
  const dueRows = db.prepare('SELECT * FROM indicator WHERE due <= ? ORDER BY due, id LIMIT ?');
  const dueCount = db.prepare('SELECT count(*) AS n FROM indicator WHERE due <= ?');
  const pageRows = db.prepare('SELECT * FROM indicator WHERE id > ? ORDER BY id LIMIT ?');
  const changed = db.prepare('UPDATE listing SET changes = changes + 1');
  const stored = (row: Row, nowS: number) => storedIndicator(row, nowS, halfLives);
  const merge = observer(db, byValue);
  return {
    observe: (observations, nowS) =>
      inTransaction(db, () => {
        if (observations.length > 0) changed.run();
        let added = 0;
        for (const observation of observations) if (merge(observation, nowS)) added += 1;
        return { new: added, updated: observations.length - added };
      }),
    get(value, nowS) {
      const row = byValue.get(value);
      return row ? stored(row, nowS) : null;
    },
    due: (nowS, limit) => dueRows.all(nowS, limit).map((row) => stored(row, nowS)),
    countDue: (nowS) => Number(dueCount.get(nowS)?.n ?? 0),
    page: (afterId, limit, nowS) => pageRows.all(afterId, limit).map((row) => stored(row, nowS)),
    purge(beforeS) {
      const where = 'confirmed < ? AND value NOT IN (SELECT subject FROM outbox WHERE state = 0)';
      const gone = deleteInSlices(db, { table: 'indicator', key: 'id', where }, [beforeS]);
      if (gone > 0) changed.run();
      return gone;
    },
  };
}

/** Merges one observation; true when the indicator is new. */
function observer(db: DatabaseSync, byValue: StatementSync): (observation: Observation, nowS: number) => boolean {
  const insert = db.prepare(`
    INSERT INTO indicator (value, type, state, added, first_seen, last_seen, confirmed, valid_until, sources, tags, tlp, feed_confidence, reference, due, feed_verdict, feed_score)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`);
  const update = db.prepare(`
    UPDATE indicator SET state = ?, first_seen = min(first_seen, ?), last_seen = max(last_seen, ?), confirmed = ?, valid_until = ?, sources = ?,
      tags = ?, tlp = ?, feed_confidence = ?, reference = ?, feed_verdict = ?, feed_score = ?, due = CASE WHEN due IS NULL AND expires <= ? THEN ? ELSE due END WHERE id = ?`);
  return (observation, nowS) => {
    const { indicator, isRevoked, judged } = observation;
    const said = judged === null ? ([null, null] as const) : ([verdictCodes.toCode(judged.verdict), judged.score] as const);
    const lastS = secondsOf(observation.lastSeen) ?? secondsOf(observation.firstSeen) ?? nowS;
    const firstS = Math.min(secondsOf(observation.firstSeen) ?? lastS, lastS);
    const validS = secondsOf(observation.validUntil);
    const tlp = observation.tlp === null ? null : tlpCodes.toCode(observation.tlp);
    const state = stateCodes.toCode(isRevoked ? 'revoked' : 'active');
    const tags = joinList(observation.tags.slice(0, MAX_TAGS));
    const added = insert.run(
      ...([indicator.value, typeCodes.toCode(indicator.type), state, nowS, firstS, lastS, nowS, validS, observation.source, tags] as const),
      ...([tlp, observation.confidence, observation.reference, isRevoked ? null : nowS, ...said] as const),
    );
    if (added.changes === 1) return true;
    const row = byValue.get(indicator.value);
    if (!row) throw new Error(`store: ${indicator.value} is neither new nor known`);
    const isEcho = row.feed_verdict !== null;
    // Our own word, come back to where others speak for the value, is no news: it confirms nothing and adds nobody.
    if (judged !== null && !isEcho) return false;
    const isReplaced = isEcho && judged === null;
    update.run(
      ...([
        nextState(row.state, isRevoked),
        firstS,
        lastS,
        isRevoked ? Number(row.confirmed) : nowS,
        later(row.valid_until, validS),
      ] as const),
      ...([
        merged(isReplaced ? '' : row.sources, [observation.source], MAX_SOURCES),
        merged(isReplaced ? '' : row.tags, observation.tags, MAX_TAGS),
      ] as const),
      ...([
        highest(row.tlp, tlp),
        isEcho ? observation.confidence : highest(row.feed_confidence, observation.confidence),
        observation.reference ?? row.reference ?? null,
        ...said,
      ] as const),
      ...([nowS, nowS, Number(row.id)] as const),
    );
    return false;
  };
}

/** What an analyst said stays; a source that lists it again takes its own revocation back. */
function nextState(state: SQLOutputValue | undefined, isRevoked: boolean): number {
  const word = stateCodes.toWord(state);
  if (word === 'false_positive' || word === 'confirmed') return stateCodes.toCode(word);
  return stateCodes.toCode(isRevoked ? 'revoked' : 'active');
}

/** A stored list with new words behind it, cut at `max`. */
export function merged(text: SQLOutputValue | undefined, words: readonly string[], max: number): string {
  const known = String(text);
  const list = splitList(known);
  const fresh = words.filter((word) => !list.includes(word));
  return fresh.length === 0 ? known : joinList([...list, ...fresh].slice(0, max));
}

/** The higher of what is stored and what is said; `null`: neither. */
export function highest(known: SQLOutputValue | undefined, said: number | null): number | null {
  if (known === null || known === undefined) return said;
  return said === null ? Number(known) : Math.max(Number(known), said);
}

/** A source that gives no end takes none away. */
function later(known: SQLOutputValue | undefined, said: number | null): number | null {
  return highest(known, said);
}

/** A time as whole seconds since 1970; `null`: not said, or no time. */
export function secondsOf(iso: string | null): number | null {
  if (iso === null) return null;
  const ms = Date.parse(iso);
  return Number.isNaN(ms) ? null : Math.trunc(ms / 1000);
}

/** A row as the rest of the program sees it. */
export function storedIndicator(row: Row, nowS: number, halfLives: HalfLives): StoredIndicator {
  const type = typeCodes.toWord(row.type);
  const score = nullable(row.score);
  return {
    id: Number(row.id),
    indicator: { type, value: String(row.value) } satisfies Indicator,
    state: stateCodes.toWord(row.state),
    addedS: Number(row.added),
    firstSeenS: Number(row.first_seen),
    lastSeenS: Number(row.last_seen),
    confirmedS: Number(row.confirmed),
    validUntilS: nullable(row.valid_until),
    sources: splitList(row.sources),
    tags: splitList(row.tags),
    tlp: row.tlp === null ? null : tlpCodes.toWord(row.tlp),
    feedConfidence: nullable(row.feed_confidence),
    judged: row.feed_verdict === null ? null : { verdict: verdictCodes.toWord(row.feed_verdict), score: nullable(row.feed_score) },
    reference: row.reference === null ? null : String(row.reference),
    verdict: row.verdict === null ? null : verdictCodes.toWord(row.verdict),
    score,
    currentScore: decayedScore(score, nowS - Number(row.confirmed), halfLives[type]),
    confidence: nullable(row.confidence),
    tier: row.tier === null ? null : tierCodes.toWord(row.tier),
    checkedS: nullable(row.checked),
    judgedS: nullable(row.judged),
    expiresS: nullable(row.expires),
    revision: Number(row.revision),
  };
}

function nullable(value: SQLOutputValue | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}
