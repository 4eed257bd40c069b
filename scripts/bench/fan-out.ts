// How late an answer comes when a provider hangs: four providers, one of them silent, many callers with a deadline each.
import { FOUR, startFourProviders } from '../../test/support/four-providers.ts';
import { publicAddresses } from '../../test/support/open-test-engine.ts';
import { openEngine } from '../../src/compose/open-engine.ts';
import { quantile } from './median.ts';

const DEADLINE_MS = 500;
const CALLERS = 400;
const AT_ONCE = 20;
/** Each provider's own limits, out of the way. */
const CONCURRENCY = '256';

/** Measures the time to an answer beyond the deadline, and how whole the answers are. */
export async function run(print: (figure: { name: string; value: number; unit: string }) => void): Promise<void> {
  for (const silent of [null, ...FOUR.slice(0, 3)] as const) {
    await using four = await startFourProviders();
    if (silent) four.replies[silent] = () => {};
    const lots = Object.fromEntries(FOUR.map((id) => [`${id.toUpperCase()}_CONCURRENCY`, CONCURRENCY]));
    const { engine } = await openEngine({ env: four.env({ ...lots, ISMALICIOUS_TIMEOUT_MS: '2000', GREYNOISE_ENABLED: 'false' }) });
    // The first calls load code and open connections.
    const [first = '', ...values] = publicAddresses(CALLERS + 1);
    await engine.enrichMany([first], { timeoutMs: DEADLINE_MS * 4 });
    const tookMs: number[] = [];
    let whole = 0;
    for (let at = 0; at < CALLERS; at += AT_ONCE) {
      await Promise.all(
        values.slice(at, at + AT_ONCE).map(async (value) => {
          const startedMs = performance.now();
          const found = await engine.enrichMany([value], { timeoutMs: DEADLINE_MS });
          tookMs.push(performance.now() - startedMs);
          const said = found.get(value)?.answer.providers.filter(({ status }) => status === 'ok').length ?? 0;
          if (said === (silent ? 2 : 3)) whole++;
        }),
      );
    }
    const sorted = tookMs.toSorted((a, b) => a - b);
    const who = silent ? `${silent} silent` : 'all well';
    print({ name: `${who}: p50`, value: Math.round(quantile(sorted, 0.5)), unit: 'ms' });
    print({ name: `${who}: p99`, value: Math.round(quantile(sorted, 0.99)), unit: `ms (deadline ${DEADLINE_MS})` });
    print({ name: `${who}: answers with everybody else's word`, value: Math.round((whole / CALLERS) * 1000) / 10, unit: '%' });
    await engine.close();
  }
}
