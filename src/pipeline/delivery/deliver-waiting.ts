import { inertText } from '../../model/formats/inert-text.ts';
import type { OutboxCounts } from '../../store/outbox.ts';
import type { ActiveOutput, Halt } from './deliver.ts';
import { deliverInTurn, type SharedDelivering } from './deliver-alone.ts';

/** What one pass over the journal did for one output. */
export interface DeliveredOutput extends OutboxCounts {
  readonly output: string;
  /** Delivered by this pass. */
  readonly sent: number;
  /** Given up in this pass: in quarantine. */
  readonly givenUp: number;
  /** Why it stopped before its journal was empty; `null`: it is empty. */
  readonly halt: Halt;
}

/** Delivers what waits now, to all outputs side by side, as one of several processes. */
export async function deliverWaiting(outputs: readonly ActiveOutput[], delivering: SharedDelivering): Promise<DeliveredOutput[]> {
  const { store } = delivering;
  return await Promise.all(
    outputs.map(async (active): Promise<DeliveredOutput> => {
      const { id } = active.output;
      let sent = 0;
      let givenUp = 0;
      const onSettled: SharedDelivering['onSettled'] = (settlements) => {
        sent += settlements.filter(({ to }) => to === 'delivered').length;
        givenUp += settlements.filter(({ to }) => to === 'quarantined').length;
      };
      const halt = await deliverInTurn(active, { ...delivering, onSettled });
      return { output: id, sent, givenUp, halt, ...(await store.counts(id)) };
    }),
  );
}

/** The same in a line for people. */
export function deliveredText({ output, sent, givenUp, pending, halt }: DeliveredOutput): string {
  const rest = [`${pending} left`, ...(givenUp > 0 ? [`${givenUp} given up (ismalicious store quarantine --output ${output})`] : [])];
  return inertText(`output ${output}: ${sent} sent, ${rest.join(', ')}${halt === null ? '' : ` — ${halt}`}`);
}
