import { randomUUID } from 'node:crypto';
import { describeHolder, lockHolderName } from '../../disk/lock-holder.ts';
import { type ActiveOutput, deliver, type Delivering, type Halt, TAKEN_OVER } from './deliver.ts';

const LEASE_MS = 60_000;
const RENEWAL_MS = 15_000;
/** How often somebody who waits for another process looks whether it has done the work. */
const LOOK_MS = 250;

/** Delivering for one process among several: the lease is taken inside. */
export type SharedDelivering = Omit<Delivering, 'lease'>;

/** What came of it. `busy`: another process is at it and nothing was done here. */
export type DeliveryTry = { readonly kind: 'done'; readonly halt: Halt } | { readonly kind: 'busy'; readonly holder: string };

/**
 * Delivers to an output as the only process on the store that does: its lease names host, boot, process and start time, is renewed while
 * the work goes on, and goes over at once when that process has ended. Without it nothing is sent.
 */
export async function tryDeliver(active: ActiveOutput, delivering: SharedDelivering): Promise<DeliveryTry> {
  const { store, clock, signal } = delivering;
  const lease = { name: `deliver:${active.output.id}`, holder: lockHolderName(randomUUID()) };
  const take = () => store.takeLease(lease.name, lease.holder, { nowMs: clock.nowMs(), untilMs: clock.nowMs() + LEASE_MS });
  if (!(await take())) return { kind: 'busy', holder: describeHolder((await store.leaseHolder(lease.name)) ?? '') };
  const lost = new AbortController();
  const renewal = setInterval(() => {
    void take().then(
      (isOurs) => !isOurs && lost.abort(),
      (error: unknown) => lost.abort(error),
    );
  }, RENEWAL_MS);
  renewal.unref();
  try {
    return { kind: 'done', halt: await deliver(active, { ...delivering, lease, signal: AbortSignal.any([signal, lost.signal]) }) };
  } catch (error) {
    if (signal.aborted || !lost.signal.aborted) throw error;
    return { kind: 'done', halt: TAKEN_OVER };
  } finally {
    clearInterval(renewal);
    await store.releaseLease(lease.name, lease.holder);
  }
}

/** The same for who wants it done: waits for a process that is at it, within the patience, until nothing is left or it is our turn. */
export async function deliverInTurn(active: ActiveOutput, delivering: SharedDelivering): Promise<Halt> {
  const { store, clock, signal, limits } = delivering;
  const untilMs = clock.nowMs() + limits.patienceMs;
  for (;;) {
    const { id } = active.output;
    const tried = await tryDeliver(active, delivering);
    if (tried.kind === 'done') return tried.halt;
    if ((await store.nextAtMs(id)) === null) return null;
    if (clock.nowMs() >= untilMs) return `${tried.holder} is delivering to it`;
    await clock.wait(LOOK_MS, signal);
  }
}
