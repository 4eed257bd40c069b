import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { medianOf } from '../soak/slopes.ts';
import { startLoad } from '../soak/soak-load.ts';
import type { Print } from './figure.ts';
import { startGateway, startProgram, withServers } from './gateway-processes.ts';
import { quantile } from './median.ts';

const SECONDS = Number(process.env.BENCH_OVERLOAD_SECONDS ?? 60);
const DEADLINE_MS = 2000;
/** What the provider takes a second, and how many times as much is asked. */
const TAKEN_PER_S = 80;
const TIMES = 5;
/** More calls than are waited for at a time: none is late before it is sent. */
const CONNECTIONS = 2000;

/** Five times as many new values as the provider takes: every caller has an answer by its deadline, and it goes on as before when that is over. */
export async function run(print: Print): Promise<void> {
  await withServers(async (folder, keep) => {
    const api = keep(await startProgram('../soak/soak-api.ts'));
    const env = {
      ISMALICIOUS_BASE_URL: `http://127.0.0.1:${api.port}`,
      ISMALICIOUS_BULK: 'false',
      ISMALICIOUS_PER_MINUTE: String(TAKEN_PER_S * 60),
      ISMALICIOUS_SIDECAR_TIMEOUT_MS: String(DEADLINE_MS),
    };
    const sidecar = keep(await startGateway(join(folder, 'state'), env));
    const load = startLoad(sidecar.port, { perS: TAKEN_PER_S * TIMES, connections: CONNECTIONS, newShare: 1 });
    await wait(SECONDS * 1000);
    load.stop();
    const { answered, failed, latenciesMs } = load.take();
    const sorted = latenciesMs.toSorted((a, b) => a - b);
    const at = (share: number) => Math.round(quantile(sorted, share));
    print({ name: `five times too much for ${SECONDS} s, answers`, value: answered, unit: 'calls' });
    print({ name: 'calls without a 2xx', value: failed, unit: 'calls' });
    print({ name: 'answer, median', value: Math.round(medianOf(sorted)), unit: 'ms' });
    print({ name: `answer, p99, at a deadline of ${DEADLINE_MS} ms`, value: at(0.99), unit: 'ms' });
    print({ name: 'answer, longest', value: Math.round(sorted.at(-1) ?? NaN), unit: 'ms' });
    const metrics = await (await fetch(`http://127.0.0.1:${sidecar.port}/metrics`)).text();
    print({ name: 'calls that took the sidecar longer than 2.5 s', value: slowOf(metrics), unit: 'calls' });
    print({ name: 'memory of the sidecar', value: Math.round(sidecar.rssMib()), unit: 'MiB' });
    const after = startLoad(sidecar.port, { perS: 20, newShare: 0 });
    await wait(5000);
    after.stop();
    const later = after.take();
    print({ name: 'five seconds right after it, answers', value: later.answered, unit: 'calls' });
    print({ name: 'five seconds right after it, calls without a 2xx', value: later.failed, unit: 'calls' });
  });
}

/** By the sidecar's own clock, from when it saw a call; what a call waits in the socket it cannot see. */
function slowOf(metrics: string): number {
  const count = (suffix: string) =>
    Number(new RegExp(`^ismalicious_sidecar_request_duration_seconds_${suffix} (\\d+)`, 'm').exec(metrics)?.[1] ?? NaN);
  return count('count\\{route="/v1/enrich"\\}') - count('bucket\\{route="/v1/enrich",le="2.5"\\}');
}
