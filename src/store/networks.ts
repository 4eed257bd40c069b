import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { inTransaction } from '../disk/sqlite-faults.ts';
import { joinList, splitList, stateCodes, tlpCodes } from './codes.ts';
import { highest, MAX_SOURCES, MAX_TAGS, merged, secondsOf } from './indicators.ts';
import type { NetworkObservation, ObserveCounts, StoredNetwork } from './observation.ts';

/** The networks that feeds list. */
export interface NetworkTable {
  /** Merges observations in one transaction. */
  observeNetworks(observations: readonly NetworkObservation[], nowS: number): ObserveCounts;
  /** Those of `networks` that are not listed. */
  unknownNetworks(networks: readonly string[]): readonly string[];
  /** Removes networks not confirmed since `beforeS`; gives how many. */
  purgeNetworks(beforeS: number): number;
}

/** Prepares the statements on an open store. */
export function networkTable(db: DatabaseSync): NetworkTable {
  const byName = db.prepare('SELECT * FROM network WHERE network = ?');
  const changed = db.prepare('UPDATE listing SET changes = changes + 1');
  const put = db.prepare(`INSERT OR REPLACE INTO network
    (network, state, first_seen, last_seen, confirmed, valid_until, sources, tags, tlp, feed_confidence, reference) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const gone = db.prepare('DELETE FROM network WHERE confirmed < ?');
  function merge(observation: NetworkObservation, nowS: number): boolean {
    const row = byName.get(observation.network);
    const lastS = secondsOf(observation.lastSeen) ?? secondsOf(observation.firstSeen) ?? nowS;
    const firstS = Math.min(secondsOf(observation.firstSeen) ?? lastS, lastS);
    const tlp = observation.tlp === null ? null : tlpCodes.toCode(observation.tlp);
    put.run(
      ...([
        observation.network,
        stateCodes.toCode(observation.isRevoked ? 'revoked' : 'active'),
        Math.min(firstS, row ? Number(row.first_seen) : firstS),
        Math.max(lastS, row ? Number(row.last_seen) : lastS),
        observation.isRevoked && row ? Number(row.confirmed) : nowS,
        highest(row?.valid_until, secondsOf(observation.validUntil)),
        merged(row?.sources ?? '', [observation.source], MAX_SOURCES),
        merged(row?.tags ?? joinList([]), observation.tags, MAX_TAGS),
        highest(row?.tlp, tlp),
        highest(row?.feed_confidence, observation.confidence),
        observation.reference ?? row?.reference ?? null,
      ] as const),
    );
    return row === undefined;
  }
  return {
    observeNetworks(observations, nowS) {
      if (observations.length === 0) return { new: 0, updated: 0 };
      return inTransaction(db, () => {
        changed.run();
        let added = 0;
        for (const observation of observations) if (merge(observation, nowS)) added += 1;
        return { new: added, updated: observations.length - added };
      });
    },
    unknownNetworks: (networks) => networks.filter((network) => byName.get(network) === undefined),
    purgeNetworks(beforeS) {
      const { changes } = gone.run(beforeS);
      if (Number(changes) > 0) changed.run();
      return Number(changes);
    },
  };
}

/** A row as the rest of the program sees it. */
export function storedNetwork(row: Record<string, SQLOutputValue>): StoredNetwork {
  return {
    network: String(row.network),
    state: stateCodes.toWord(row.state),
    firstSeenS: Number(row.first_seen),
    lastSeenS: Number(row.last_seen),
    confirmedS: Number(row.confirmed),
    validUntilS: row.valid_until === null ? null : Number(row.valid_until),
    sources: splitList(row.sources),
    tlp: row.tlp === null ? null : tlpCodes.toWord(row.tlp),
    feedConfidence: row.feed_confidence === null ? null : Number(row.feed_confidence),
    reference: row.reference === null ? null : String(row.reference),
  };
}
