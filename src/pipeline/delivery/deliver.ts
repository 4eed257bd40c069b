// src/pipeline/delivery/: the journal emptied into the outputs: once, in order, with patience.
import { errorMessage } from '../../model/formats/error-message.ts';
import type { DeliveryLease, PendingDelivery, Settlement } from '../../store/outbox.ts';
import type { Store } from '../../store/store-client.ts';
import { boundedWait, LookupError } from '../../model/lookup-error.ts';
import type { Output, OutputAnswer, OutputContext, OutputItem, OutputResult, OutputStep, Ticket } from '../../outputs/output.ts';
import type { OutputSender } from './output-sender.ts';
import { nowS, type PipelineClock } from '../pipeline-clock.ts';
import { keepToken, type TokenKeeper } from './token-keeper.ts';

const FIRST_BACKOFF_MS = 2000;
const MAX_BACKOFF_MS = 3_600_000;
const MAX_REASON_CHARS = 300;

/** An output that is switched on. */
export interface ActiveOutput {
  readonly output: Output;
  readonly settings: unknown;
  readonly sender: OutputSender;
}

/** Bounds of delivering. */
export interface DeliveryLimits {
  /** Tries after which a message goes into quarantine. */
  readonly maxTries: number;
  /** How long a run waits for an output that asks for patience, in milliseconds; what is left waits for the next run. */
  readonly patienceMs: number;
}

/** What delivering needs besides the output. */
export interface Delivering {
  readonly store: Store;
  readonly clock: PipelineClock;
  readonly signal: AbortSignal;
  readonly limits: DeliveryLimits;
  /** 0 to 1: spreads the retries. */
  readonly random: () => number;
  /** Who sends: without the lease nothing goes out. Left out: nobody else may send. */
  readonly lease?: DeliveryLease;
  /** Once it aborts no further batch is begun; the one in flight is waited for, so that its fate is known. */
  readonly stop?: AbortSignal;
  /** Told what became of each message. */
  readonly onSettled?: (settlements: readonly Settlement[]) => void;
}

/** Another process has taken the output over in the middle of it. */
export const TAKEN_OVER = 'another process took it over';
const UNANSWERED: OutputAnswer = { status: 0, headers: {}, body: null };

/** Why delivering to an output stopped before its journal was empty; `null`: it is empty. */
export type Halt = string | null;

/**
 * Sends what the journal holds for one output until nothing may go any more. Every outcome is on disk before the next call; a process
 * that dies sends the batch in flight once more, under the same keys.
 */
export async function deliver(active: ActiveOutput, delivering: Delivering): Promise<Halt> {
  const { store, clock, signal, limits, stop } = delivering;
  const { output, settings } = active;
  const pause = await store.outputPause(output.id, clock.nowMs());
  // A fault may be mended by now; a receiver that asked for patience gets it.
  const line = new DeliveryLine(active, delivering, pause === null || pause.isFault ? 0 : pause.untilMs);
  const untilMs = clock.nowMs() + limits.patienceMs;
  for (;;) {
    signal.throwIfAborted();
    if (stop?.aborted === true) return 'stopped: what is left is kept';
    const batch = await store.next(output.id, output.limits(settings as never).items, clock.nowMs());
    const atMs = batch.length > 0 ? line.openAtMs : await store.nextAtMs(output.id);
    if (atMs === null) return null;
    if (atMs > untilMs) return `asked to wait ${Math.ceil((atMs - clock.nowMs()) / 1000)} s`;
    if (atMs > clock.nowMs()) await clock.wait(atMs - clock.nowMs(), signal);
    else if (batch.length > 0) await line.send(batch);
    if (line.halt !== null) return line.halt;
  }
}

/** One output's line: sends batches one after the other and journals what became of each message. */
class DeliveryLine {
  /** Nothing goes out before this time. */
  openAtMs: number;
  halt: Halt = null;
  #hasDelivered = false;
  readonly #active: ActiveOutput;
  readonly #delivering: Delivering;
  readonly #tokens: TokenKeeper;

  constructor(active: ActiveOutput, delivering: Delivering, openAtMs: number) {
    this.openAtMs = openAtMs;
    this.#active = active;
    this.#delivering = delivering;
    this.#tokens = keepToken(active.output, { settings: active.settings, sender: active.sender, clock: delivering.clock });
  }

  async send(batch: readonly PendingDelivery[]): Promise<void> {
    const open = new Map(batch.map((delivery) => [JSON.parse(delivery.payload) as OutputItem, delivery]));
    await this.#exchange(open);
    if (this.halt !== null && this.halt !== TAKEN_OVER)
      await this.#delivering.store.noteOutputFault(this.#active.output.id, this.halt, this.#delivering.clock.nowMs());
  }

  /** Sends all of `open`, step by step; settles each as soon as its fate is known. */
  async #exchange(open: Map<OutputItem, PendingDelivery>): Promise<void> {
    const { output, settings } = this.#active;
    const { store, lease } = this.#delivering;
    const ids = [...open.values()].map(({ id }) => id);
    if (!(await store.begin(ids, lease))) {
      this.halt = TAKEN_OVER;
      return;
    }
    let context = await this.#context(open);
    let step = context && output.start([...open.keys()], context);
    let hasFreshToken = false;
    const maxSteps = 2 * open.size + 20;
    for (let steps = 0; context && step && steps < maxSteps && this.halt === null; steps++) {
      if (steps === 0 && isTooLarge(step, output.limits(settings as never).bytes) && open.size > 1) return this.#halves(open);
      const answer = await this.#perform(step, open);
      if (!answer) return;
      if (answer.status === 401 && output.signIn && !hasFreshToken) {
        hasFreshToken = true;
        this.#tokens.drop();
        context = await this.#context(open);
        step = context && output.start([...open.keys()], context);
        continue;
      }
      const result: OutputResult = this.#read(answer, step, { open, context });
      await this.#settle(result, open);
      if (result.split !== undefined) return this.#split(result.split, open);
      step = result.next ?? null;
    }
    if (this.halt === null) await this.#retry(open, 'the answer does not say what became of it');
  }

  async #context(open: Map<OutputItem, PendingDelivery>): Promise<OutputContext<never> | null> {
    const { clock, signal } = this.#delivering;
    try {
      const ticket = await this.#ticketOf(open);
      const token = await this.#tokens.get(signal);
      return { settings: this.#active.settings as never, token, nowS: nowS(clock), ...(ticket ? { ticket } : {}) };
    } catch (error) {
      this.#delivering.signal.throwIfAborted();
      if (error instanceof LookupError && error.code === 'unauthorized') this.halt = error.message;
      else await this.#retry(open, errorMessage(error));
      return null;
    }
  }

  async #ticketOf(open: Map<OutputItem, PendingDelivery>): Promise<Ticket | null> {
    const { output } = this.#active;
    const [item] = open.keys();
    return output.keepsTickets && item ? await this.#delivering.store.ticket(output.id, item.indicator.value) : null;
  }

  /** `null`: no answer came, everything is put back. */
  async #perform(step: OutputStep, open: Map<OutputItem, PendingDelivery>): Promise<OutputAnswer | null> {
    const { clock, signal } = this.#delivering;
    try {
      if (step.waitMs) await clock.wait(step.waitMs, signal);
      return await this.#active.sender.perform(step.call, signal);
    } catch (error) {
      this.#delivering.signal.throwIfAborted();
      if (step.isQuestion) return UNANSWERED;
      await this.#retry(open, errorMessage(error));
      return null;
    }
  }

  #read(
    answer: OutputAnswer,
    step: OutputStep,
    { open, context }: { open: Map<OutputItem, PendingDelivery>; context: OutputContext<never> },
  ): OutputResult {
    try {
      return this.#active.output.read(answer, step, [...open.keys()], { ...context, nowS: nowS(this.#delivering.clock) });
    } catch {
      return { retryable: [...open.keys()].map((item) => ({ item, reason: `HTTP ${answer.status} in a shape we do not know` })) };
    }
  }

  async #settle(result: OutputResult, open: Map<OutputItem, PendingDelivery>): Promise<void> {
    const { store, clock, onSettled } = this.#delivering;
    const { id: outputId } = this.#active.output;
    const retryAfterMs = boundedWait(result.retryAfterMs ?? null) ?? 0;
    if (retryAfterMs > 0) {
      this.openAtMs = clock.nowMs() + retryAfterMs;
      await store.pauseOutput(outputId, 'the receiver asked for patience', this.openAtMs);
    }
    if (result.halt !== undefined) this.halt = result.halt;
    const [first] = open.keys();
    // Remembered before the message counts as delivered: a process that dies in between says it again, into the same ticket.
    if (result.ticket && first)
      await store.saveTickets([{ output: outputId, subject: first.indicator.value, ...result.ticket }], nowS(clock));
    const settlements: Settlement[] = [];
    const take = (item: OutputItem, settle: (delivery: PendingDelivery) => Settlement) => {
      const delivery = open.get(item);
      if (!delivery) return;
      open.delete(item);
      settlements.push(settle(delivery));
    };
    for (const item of [...(result.delivered ?? []), ...(result.duplicate ?? [])]) take(item, ({ id }) => ({ id, to: 'delivered' }));
    for (const { item, reason } of result.rejected ?? []) take(item, ({ id }) => ({ id, to: 'quarantined', reason: cut(reason) }));
    for (const { item, reason } of result.retryable ?? []) take(item, (delivery) => this.#retried(delivery, reason, retryAfterMs));
    if (settlements.length === 0) return;
    await store.settle(settlements, nowS(clock));
    onSettled?.(settlements);
    if (this.#hasDelivered || retryAfterMs > 0 || !settlements.some(({ to }) => to === 'delivered')) return;
    this.#hasDelivered = true;
    await store.clearOutputPause(outputId);
  }

  #retried({ id, attempts }: PendingDelivery, reason: string, retryAfterMs: number): Settlement {
    const { clock, limits, random } = this.#delivering;
    const tries = attempts + 1;
    if (tries >= limits.maxTries) return { id, to: 'quarantined', reason: cut(`gave up after ${tries} tries: ${reason}`) };
    const backoffMs = Math.min(FIRST_BACKOFF_MS * 2 ** attempts, MAX_BACKOFF_MS) * (0.5 + random() / 2);
    return { id, to: 'retry', atMs: clock.nowMs() + Math.max(backoffMs, retryAfterMs), reason: cut(reason) };
  }

  async #retry(open: Map<OutputItem, PendingDelivery>, reason: string): Promise<void> {
    await this.#settle({ retryable: [...open.keys()].map((item) => ({ item, reason })) }, open);
  }

  async #split(reason: string, open: Map<OutputItem, PendingDelivery>): Promise<void> {
    if (open.size > 1) return this.#halves(open);
    await this.#settle({ rejected: [...open.keys()].map((item) => ({ item, reason })) }, open);
  }

  async #halves(open: Map<OutputItem, PendingDelivery>): Promise<void> {
    const all = [...open];
    const middle = Math.ceil(all.length / 2);
    for (const half of [all.slice(0, middle), all.slice(middle)]) if (this.halt === null) await this.#exchange(new Map(half));
  }
}

function isTooLarge({ call }: OutputStep, bytes: number): boolean {
  const text = call.kind === 'http' ? call.body : call.text;
  return text !== null && Buffer.byteLength(text) > bytes;
}

function cut(reason: string): string {
  return reason.slice(0, MAX_REASON_CHARS);
}
