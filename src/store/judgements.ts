import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { type Enrichment, isFailure, type Status } from '../model/enrichment.ts';
import { packAnswer, unpackAnswer } from './answer-text.ts';
import { tierCodes, verdictCodes } from './codes.ts';
import { inTransaction } from '../disk/sqlite-faults.ts';
import type { HalfLives } from './decay.ts';
import { storedIndicator } from './indicators.ts';
import type { EnrichedIndicator, Judgement } from './observation.ts';

// A failed look-up is tried again after this, doubled each time, at most a day.
const FIRST_RETRY_S = 900;
const LAST_RETRY_S = 86_400;

/** Answers that are whole for now but not settled: they are asked again when they expire. */
const UNSETTLED: ReadonlySet<Status> = new Set(['partial', 'pending', 'stale']);

/** What became of a batch of look-ups: the four add up to the batch. */
export interface RecordCounts {
  /** Answered, and what we think of it is new or different. */
  readonly changed: number;
  /** Answered as before. */
  readonly unchanged: number;
  /** Private, allow-listed or over its TLP: nobody was asked. */
  readonly skipped: number;
  /** No answer: stays due. */
  readonly failed: number;
}

type Row = Record<string, SQLOutputValue>;

/** What look-ups said about the indicators. */
export interface JudgementTable {
  /** Stores answers by the value they were asked for, in one transaction. A failure changes nothing but the time of the next try. */
  record(enrichments: readonly (readonly [value: string, enrichment: Enrichment])[], nowS: number): RecordCounts;
  /** Indicators whose newest judgement has not been routed to the outputs, in the order they were added. */
  unrouted(afterId: number, limit: number, nowS: number): readonly EnrichedIndicator[];
  /** Threats in the order in which they were judged, after a place in it and up to `untilS`. */
  judgedAfter(place: { readonly judgedS: number; readonly id: number }, limit: number, untilS: number): readonly EnrichedIndicator[];
  /** One indicator with its last answer; `null` when unknown or never answered. */
  enriched(value: string, nowS: number): EnrichedIndicator | null;
  /** How the judgement changed over time, newest first. */
  history(value: string, limit: number): readonly Judgement[];
}

/** Prepares the statements on an open store. */
export function judgementTable(db: DatabaseSync, halfLives: HalfLives): JudgementTable {
  const unrouted = db.prepare(
    'SELECT i.*, a.json FROM indicator i JOIN answer a ON a.id = i.id WHERE i.routed < i.revision AND i.id > ? ORDER BY i.id LIMIT ?',
  );
  const one = db.prepare('SELECT i.*, a.json FROM indicator i JOIN answer a ON a.id = i.id WHERE i.value = ?');
  const past = db.prepare('SELECT h.* FROM history h JOIN indicator i ON i.id = h.id WHERE i.value = ? ORDER BY h.at DESC LIMIT ?');
  const judged = db.prepare(`SELECT i.*, a.json FROM indicator i JOIN answer a ON a.id = i.id
    WHERE i.verdict >= 2 AND (i.judged, i.id) > (?, ?) AND i.judged <= ? ORDER BY i.judged, i.id LIMIT ?`);
  const record = recorder(db);
  const history = (value: string, limit: number) => past.all(value, limit).map(judgementOf);
  const whole = (row: Row, nowS: number): EnrichedIndicator => ({
    ...storedIndicator(row, nowS, halfLives),
    answer: unpackAnswer(String(row.json)),
    before: history(String(row.value), 2)[1] ?? null,
  });
  return {
    record: (enrichments, nowS) =>
      inTransaction(db, () => {
        const counts = { changed: 0, unchanged: 0, skipped: 0, failed: 0 };
        for (const [value, enrichment] of enrichments) counts[record(value, enrichment, nowS)] += 1;
        return counts;
      }),
    unrouted: (afterId, limit, nowS) => unrouted.all(afterId, limit).map((row) => whole(row, nowS)),
    judgedAfter: ({ judgedS, id }, limit, untilS) => judged.all(judgedS, id, untilS, limit).map((row) => whole(row, untilS)),
    enriched(value, nowS) {
      const row = one.get(value);
      return row ? whole(row, nowS) : null;
    },
    history,
  };
}

function recorder(db: DatabaseSync): (value: string, enrichment: Enrichment, nowS: number) => keyof RecordCounts {
  const find = db.prepare('SELECT id, verdict, score, tier, failures FROM indicator WHERE value = ?');
  const retry = db.prepare('UPDATE indicator SET failures = failures + 1, due = ? WHERE id = ?');
  const skip = db.prepare('UPDATE indicator SET due = NULL, failures = 0, checked = ? WHERE id = ?');
  const save = judgementSaver(db);
  return (value, enrichment, nowS) => {
    const row = find.get(value);
    // Purged while it was being asked about: there is nothing to keep the answer on.
    if (!row) return 'skipped';
    const { answer } = enrichment;
    const id = Number(row.id);
    if (isFailure(answer.status)) {
      retry.run(nowS + Math.min(FIRST_RETRY_S * 2 ** Number(row.failures), LAST_RETRY_S), id);
      return 'failed';
    }
    if (answer.status.startsWith('skipped_')) {
      skip.run(nowS, id);
      return 'skipped';
    }
    return save(row, enrichment, nowS) ? 'changed' : 'unchanged';
  };
}

/** Saves an answer; true when verdict, score or tier are new or different. */
function judgementSaver(db: DatabaseSync): (row: Row, enrichment: Enrichment, nowS: number) => boolean {
  const saveAnswer = db.prepare('INSERT INTO answer (id, json) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET json = excluded.json');
  const saveHistory = historySaver(db);
  const saveJudgement = db.prepare(`
    UPDATE indicator SET verdict = ?, score = ?, confidence = ?, tier = ?, checked = ?, judged = ?, expires = ?, due = ?, failures = 0,
      confirmed = max(confirmed, ?), revision = revision + ? WHERE id = ?`);
  return (row, { answer, checkedAtS, expiresAtS }, nowS) => {
    const [id, verdict, tier] = [Number(row.id), verdictCodes.toCode(answer.verdict), tierCodes.toCode(answer.tier)];
    const isChanged = row.verdict !== verdict || row.score !== answer.score || row.tier !== tier;
    const isBad = answer.verdict === 'malicious' || answer.verdict === 'suspicious';
    const due = UNSETTLED.has(answer.status) ? (expiresAtS ?? nowS + FIRST_RETRY_S) : null;
    saveJudgement.run(
      ...([verdict, answer.score, answer.confidence, tier, checkedAtS ?? nowS, nowS, expiresAtS, due] as const),
      ...([isBad ? (checkedAtS ?? nowS) : 0, isChanged ? 1 : 0, id] as const),
    );
    saveAnswer.run(id, packAnswer(answer));
    if (isChanged) saveHistory.run(id, nowS, verdict, answer.score, tier);
    return isChanged;
  };
}

function historySaver(db: DatabaseSync): StatementSync {
  return db.prepare(`INSERT INTO history (id, at, verdict, score, tier) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (id, at) DO UPDATE SET verdict = excluded.verdict, score = excluded.score, tier = excluded.tier`);
}

function judgementOf(row: Row): Judgement {
  return {
    atS: Number(row.at),
    verdict: verdictCodes.toWord(row.verdict),
    score: row.score === null ? null : Number(row.score),
    tier: tierCodes.toWord(row.tier),
  };
}
