// src/hosts/sidecar/workers/: the figures of all worker processes, told by any of them.
import cluster, { type Worker } from 'node:cluster';
import { addEnded, sumFigures } from '../../../compose/figures/sum-figures.ts';

/** A worker that is busy for longer is told of as it was last seen. */
const PATIENCE_MS = 2000;

/** A worker wants the figures of all; `id` comes back with them. */
interface Wanted {
  readonly figuresWanted: number;
}

/** The primary asks each worker for its own; `round` comes back with them. */
interface Asked {
  readonly figuresAsked: number;
}

interface Told {
  readonly figuresTold: number;
  readonly text: string;
}

interface Summed {
  readonly figuresSummed: number;
  readonly text: string;
}

type Message = Partial<Wanted & Asked & Told & Summed> | null;

/** What a worker has to do with the figures of all. */
export interface FiguresOfAll {
  /** The figures of all workers; this one's own when the primary does not answer. */
  gather(): Promise<string>;
  close(): void;
}

/** In a worker: tells its own figures when it is asked, and asks for those of all. */
export function joinFigures(own: () => string): FiguresOfAll {
  const waiting = new Map<number, (text: string) => void>();
  let count = 0;
  const hear = (message: Message) => {
    if (message?.figuresAsked !== undefined) process.send?.({ figuresTold: message.figuresAsked, text: own() } satisfies Told);
    if (message?.figuresSummed !== undefined) waiting.get(message.figuresSummed)?.(message.text ?? '');
  };
  process.on('message', hear);
  return {
    async gather() {
      const id = ++count;
      const summed = await new Promise<string | null>((resolve) => {
        const timer = setTimeout(() => resolve(null), 2 * PATIENCE_MS);
        waiting.set(id, (text) => {
          clearTimeout(timer);
          resolve(text);
        });
        process.send?.({ figuresWanted: id } satisfies Wanted);
      });
      waiting.delete(id);
      return summed ?? own();
    },
    close: () => void process.off('message', hear),
  };
}

interface Seat {
  readonly place: number;
  /** Its figures when it was last asked. */
  text: string;
}

interface Round {
  readonly left: Set<number>;
  readonly done: () => void;
}

/**
 * In the primary: answers workers that want the figures of all. One that is started takes the first place that is free; what one that has
 * ended had counted when it was last seen goes on counting.
 */
export function openFiguresBoard(): void {
  const seats = new Map<number, Seat>();
  const rounds = new Map<number, Round>();
  let count = 0;
  let ended = '';

  async function askAll(): Promise<string> {
    const id = ++count;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, PATIENCE_MS);
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      const asked = Object.values(cluster.workers ?? {}).filter((worker) => worker?.isConnected() === true);
      rounds.set(id, { left: new Set(asked.map((worker) => worker?.id ?? 0)), done });
      for (const worker of asked) worker?.send({ figuresAsked: id } satisfies Asked);
    });
    rounds.delete(id);
    return sumFigures([...seats.values()], ended);
  }

  async function answer(worker: Worker, wanted: number): Promise<void> {
    const text = await askAll();
    if (worker.isConnected()) worker.send({ figuresSummed: wanted, text } satisfies Summed);
  }

  function settle(id: number, workerId: number): void {
    const round = rounds.get(id);
    round?.left.delete(workerId);
    if (round?.left.size === 0) round.done();
  }

  cluster.on('message', (worker, message: Message) => {
    if (message?.figuresTold !== undefined) {
      const seat = seats.get(worker.id);
      if (seat !== undefined) seat.text = message.text ?? '';
      settle(message.figuresTold, worker.id);
    }
    const wanted = message?.figuresWanted;
    if (wanted === undefined) return;
    void answer(worker, wanted);
  });

  cluster.on('fork', ({ id }) => {
    const taken = new Set([...seats.values()].map(({ place }) => place));
    let place = 1;
    while (taken.has(place)) place++;
    seats.set(id, { place, text: '' });
  });
  cluster.on('exit', ({ id }) => {
    ended = addEnded(ended, seats.get(id)?.text ?? '');
    seats.delete(id);
    for (const round of rounds.keys()) settle(round, id);
  });
}
