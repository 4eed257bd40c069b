import { errorMessage } from '../../model/formats/error-message.ts';
import type { Settlement } from '../../store/outbox.ts';
import type { Store } from '../../store/store-client.ts';
import { nowS, type PipelineClock } from '../pipeline-clock.ts';
import type { ActiveOutput, DeliveryLimits } from './deliver.ts';
import { type SharedDelivering, tryDeliver } from './deliver-alone.ts';

/** How often it looks for what other processes have journalled, and for what may go again. */
const LOOK_MS = 1000;
/** How often it counts what waits. */
const COUNT_MS = 5000;
/** Messages that wait for longer are told on /readyz. */
const LATE_S = 300;
/** How long a call in flight is waited for at the end, so that its fate is known. */
const LAST_CALL_MS = 5000;

/** What a worker did with one output, and what waits for it. */
export interface DeliveryFigures {
  readonly output: string;
  /** Delivered by this process. */
  readonly sent: number;
  /** Tries of this process that failed and come again. */
  readonly retried: number;
  /** Given up by this process: in quarantine. */
  readonly givenUp: number;
  /** Waits now. */
  readonly pending: number;
  /** Age of the oldest that waits, in seconds. */
  readonly oldestS: number;
  /** Why it is left alone for now; `null`: it is not. */
  readonly fault: string | null;
}

/** Empties the journal as it fills. */
export interface DeliveryWorker {
  /** Something was journalled just now. */
  poke(): void;
  figures(): readonly DeliveryFigures[];
  /** What a person has to see to: one sentence each. */
  faults(): readonly string[];
  /** Begins nothing more, and waits for the call in flight. */
  close(): Promise<void>;
}

/** What it works with. */
export interface DeliveryWorkerOptions {
  /** `null`: there is no store yet. */
  readonly openStore: () => Promise<Store | null>;
  readonly outputs: readonly ActiveOutput[];
  readonly limits: Pick<DeliveryLimits, 'maxTries'>;
  readonly clock: PipelineClock;
  readonly random: () => number;
  /** How often it looks, in milliseconds. */
  readonly lookMs?: number;
}

/** Delivers what is journalled as soon as it is, each output for itself, as one of several processes; goes on until it is closed. */
export function startDeliveryWorker(options: DeliveryWorkerOptions): DeliveryWorker {
  const worker = new JournalWorker(options);
  const ended = worker.run();
  return {
    poke: () => worker.poke(),
    figures: () => worker.figures(),
    faults: () => worker.faults(),
    close: () => worker.close(ended),
  };
}

interface Tally {
  sent: number;
  retried: number;
  givenUp: number;
  pending: number;
  oldestAtS: number | null;
  fault: string | null;
}

class JournalWorker {
  readonly #options: DeliveryWorkerOptions;
  readonly #stop = new AbortController();
  readonly #end = new AbortController();
  readonly #busy = new Map<string, Promise<void>>();
  readonly #tallies: ReadonlyMap<string, Tally>;
  #storeFault: string | null = null;
  #countedMs = -Infinity;
  #isPoked = false;
  readonly #resting = new Set<() => void>();
  /** Outputs for which something may have come behind the last look into their journal. */
  readonly #again = new Set<string>();

  constructor(options: DeliveryWorkerOptions) {
    this.#options = options;
    const none = () => ({ sent: 0, retried: 0, givenUp: 0, pending: 0, oldestAtS: null, fault: null });
    this.#tallies = new Map(options.outputs.map(({ output }) => [output.id, none()]));
  }

  async run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#isPoked = false;
      try {
        await this.#look();
        this.#storeFault = null;
      } catch (error) {
        this.#storeFault = errorMessage(error);
      }
      await this.#rest();
    }
    await Promise.all(this.#busy.values());
  }

  poke(): void {
    for (const id of this.#busy.keys()) this.#again.add(id);
    this.#wake();
  }

  figures(): DeliveryFigures[] {
    const atS = nowS(this.#options.clock);
    return [...this.#tallies].map(([output, { oldestAtS, ...tally }]) => ({
      output,
      ...tally,
      oldestS: oldestAtS === null ? 0 : Math.max(0, atS - oldestAtS),
    }));
  }

  faults(): string[] {
    const store = this.#storeFault === null ? [] : [`the journal cannot be read, nothing is delivered: ${this.#storeFault}`];
    const outputs = this.figures().flatMap(({ output, fault, pending, oldestS }) => {
      if (fault !== null) return [`output ${output}: ${fault}; ${pending} messages wait`];
      return oldestS > LATE_S ? [`output ${output}: ${pending} messages wait, the oldest for ${oldestS} s`] : [];
    });
    return [...store, ...outputs];
  }

  async close(ended: Promise<void>): Promise<void> {
    this.#stop.abort();
    this.#wake();
    const timer = setTimeout(() => this.#end.abort(), LAST_CALL_MS);
    await ended;
    clearTimeout(timer);
  }

  async #look(): Promise<void> {
    const { openStore, outputs, clock } = this.#options;
    const store = await openStore();
    if (store === null) return;
    const idle = outputs.filter(({ output }) => !this.#busy.has(output.id));
    const due = new Set(
      await store.dueOutputs(
        idle.map(({ output }) => output.id),
        clock.nowMs(),
      ),
    );
    for (const active of idle.filter(({ output }) => due.has(output.id))) this.#begin(active, store);
    if (clock.nowMs() - this.#countedMs < COUNT_MS && due.size === 0) return;
    await this.#count(store);
  }

  #begin(active: ActiveOutput, store: Store): void {
    const { id } = active.output;
    const work = this.#deliver(active, store)
      .catch((error: unknown) => {
        if (!this.#end.signal.aborted) this.#storeFault = errorMessage(error);
      })
      .finally(() => {
        this.#busy.delete(id);
        if (this.#again.delete(id)) this.#wake();
      });
    this.#busy.set(id, work);
  }

  async #deliver(active: ActiveOutput, store: Store): Promise<void> {
    const { clock, random, limits } = this.#options;
    const tally = this.#tallies.get(active.output.id);
    const delivering: SharedDelivering = {
      store,
      clock,
      random,
      signal: this.#end.signal,
      stop: this.#stop.signal,
      // Whoever asks for patience does not keep the worker: it comes again when the time is there.
      limits: { ...limits, patienceMs: 0 },
      onSettled: (settlements) => tally && add(tally, settlements),
    };
    const tried = await tryDeliver(active, delivering);
    // Another process is at it: it finds what waits by itself.
    if (tried.kind === 'busy') await this.#rest();
    this.#countedMs = -Infinity;
  }

  async #count(store: Store): Promise<void> {
    const { clock } = this.#options;
    this.#countedMs = clock.nowMs();
    const queues = new Map((await store.outputQueues()).map((queue) => [queue.output, queue]));
    for (const [output, tally] of this.#tallies) {
      const queue = queues.get(output);
      tally.pending = queue?.pending ?? 0;
      tally.oldestAtS = queue?.oldestS ?? null;
      const pause = queue ? await store.outputPause(output, clock.nowMs()) : null;
      tally.fault = pause?.isFault === true ? pause.reason : null;
    }
  }

  /** Until somebody pokes it, or it is time to look again. */
  async #rest(): Promise<void> {
    if (this.#isPoked || this.#stop.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#resting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, this.#options.lookMs ?? LOOK_MS);
      this.#resting.add(wake);
    });
  }

  #wake(): void {
    this.#isPoked = true;
    for (const wake of this.#resting) wake();
  }
}

function add(tally: Tally, settlements: readonly Settlement[]): void {
  for (const { to } of settlements) {
    if (to === 'delivered') tally.sent += 1;
    else if (to === 'retry') tally.retried += 1;
    else tally.givenUp += 1;
  }
}
