import { describe, expect, it } from 'vitest';
import { readAlertPayload } from '../../../../src/splunkd/alert/alert-payload.ts';
import { carryOutWrites, type TriageWrites } from '../../../../src/splunkd/alert/triage-writes.ts';
import { type Splunkd, type SplunkdCall, SplunkdError } from '../../../../src/splunkd/splunkd.ts';

const NOTHING: TriageWrites = { events: [], risks: [], leftOut: 0, intel: [], watched: [] };

/** A splunkd that takes `most` calls and refuses those after. */
function splunkdThatTakes(most: number, refusal = new SplunkdError(500, 'splunkd answers HTTP 500')): Splunkd {
  const calls: SplunkdCall[] = [];
  return {
    async request(call) {
      calls.push(call);
      if (calls.length > most) throw refusal;
      return {};
    },
    secrets: async () => ({}),
    close: async () => undefined,
  };
}

describe('what the action says it wrote', () => {
  const payload = readAlertPayload('{"configuration":{"index":"soc"}}');
  const intel = [1, 2, 3].map((n) => ({ collection: 'ip_intel' as const, row: { ip: `198.51.100.${n}` } }));
  const watched = Array.from({ length: 1200 }, (_one, n) => ({ _key: String(n) }));

  it.each([
    [
      'rows of threat intelligence',
      { ...NOTHING, intel },
      1,
      { intel: 1 },
      '2 of 3 rows of threat intelligence not written: splunkd answers HTTP 500',
    ],
    [
      'rows of the watchlist',
      { ...NOTHING, watched },
      2,
      { watched: 1000 },
      '200 of 1200 rows of the watchlist not written: splunkd answers HTTP 500',
    ],
    ['events', { ...NOTHING, events: ['{}', '{}'] }, 0, { events: 0 }, 'events not written: splunkd answers HTTP 500'],
  ])('%s: counts what splunkd took before it refused', async (_what, writes, most, counts, fault) => {
    const { written, faults } = await carryOutWrites(writes, splunkdThatTakes(most), payload);
    expect(written).toEqual({ events: 0, risks: 0, intel: 0, watched: 0, ...counts });
    expect(faults).toEqual([fault]);
  });
});
