import type { Engine, EngineStats } from '../../../engine/engine.ts';
import type { Io } from '../command.ts';
import { openProgress, type Progress } from './progress.ts';

type ProviderStats = EngineStats['providers'][number];

const DRAW_MS = 250;
/** Off a terminal a line is a line for ever. */
const LINE_MS = 10_000;
const SECOND_MS = 1000;
/** A shorter wait is not worth a word. */
const LEAST_WAIT_MS = 1500;

/** What the watch knows of a run besides the engine's figures. */
export interface WatchOptions {
  /** Ids of providers that are paid for. */
  readonly paid: ReadonlySet<string>;
  /** Values that are looked up in all; `null`: nobody knows. */
  readonly values: number | null;
}

/** Shows how far a run is while look-ups are out, also while nothing comes: what the command says of itself, then what the look-ups do. On a terminal one line that is drawn over, elsewhere a line every ten seconds. */
export async function watchLookUps(io: Io, engine: Pick<Engine, 'stats'>, options: WatchOptions): Promise<Progress> {
  const progress = io.hasProgress ? await openProgress(io) : null;
  const startedMs = performance.now();
  let own = { text: '', share: null as number | null };
  const draw = () => {
    const seconds = (performance.now() - startedMs) / SECOND_MS;
    const { providers } = engine.stats();
    const { text, share } = describeLookUps(providers, { ...options, seconds });
    const line = [own.text, text].filter((part) => part !== '').join('; ');
    if (line === '') return;
    if (progress) progress.show(line, own.share ?? share);
    else io.stderr.write(`${line}\n`);
  };
  const timer = setInterval(draw, progress ? DRAW_MS : LINE_MS).unref();
  return {
    show(text, share) {
      own = { text, share };
      if (progress) draw();
    },
    end() {
      clearInterval(timer);
      progress?.end();
    },
  };
}

/** The figures in words: `12 of 60 answers, waiting 58 s for virustotal's rate limit (30 a minute), 12 paid, 3 from cache, 2.0/s, about 58 s left`. */
export function describeLookUps(
  providers: readonly ProviderStats[],
  { paid, values, seconds }: WatchOptions & { readonly seconds: number },
): { readonly text: string; readonly share: number | null } {
  const asked = sum(providers.map(({ lookups }) => lookups));
  if (asked === 0) return { text: '', share: null };
  const ended = sum(providers.map(({ answered, failures }) => answered + sum(Object.values(failures))));
  const done = Math.min(asked, ended);
  const paidFor = sum(providers.map(({ provider, answered }) => (paid.has(provider) ? answered : 0)));
  const known = values === null ? null : values - Math.max(...providers.map(({ lookups }) => lookups));
  const perS = seconds > 0 ? done / seconds : 0;
  const leftS = secondsLeft(providers, perS, asked - done);
  const waits = providers.flatMap((one) => waitOf(one) ?? []);
  const parts = [
    `${done} of ${asked} answers`,
    // What is waited for comes first: a narrow terminal cuts the end off.
    ...waits,
    ...(paidFor > 0 ? [`${paidFor} paid`] : []),
    ...(known !== null && known > 0 ? [`${known} from cache or lists`] : []),
    ...(done > 0 ? [`${perS < 10 ? perS.toFixed(1) : Math.round(perS)}/s`] : []),
    ...(leftS === null ? [] : [`about ${leftS} s left`]),
  ];
  return { text: parts.join(', '), share: done / asked };
}

/** What is left at the pace so far, or at the tightest limit, whichever is later; `null`: nothing to go by yet. */
function secondsLeft(providers: readonly ProviderStats[], perS: number, left: number): number | null {
  if (left === 0) return null;
  const atPace = perS > 0 ? left / perS : 0;
  const atLimits = Math.max(
    ...providers.map(({ queued, quotas, nextCallInMs }) =>
      queued === 0
        ? 0
        : Math.max(...quotas.map(({ requests, perMs }) => (Math.floor((queued - 1) / requests) * perMs) / SECOND_MS), 0) +
          nextCallInMs / SECOND_MS,
    ),
  );
  const limited = providers.some(({ queued, nextCallInMs }) => queued > 0 && nextCallInMs > LEAST_WAIT_MS);
  const seconds = limited ? atLimits : Math.max(atPace, atLimits);
  return seconds > 0 ? Math.ceil(seconds) : null;
}

function waitOf({ provider, nextCallInMs, refusal, breaker, quotas }: ProviderStats): string | null {
  if (nextCallInMs < LEAST_WAIT_MS) return null;
  const seconds = Math.ceil(nextCallInMs / SECOND_MS);
  if (refusal === 'unavailable' || breaker !== 'closed') return `waiting ${seconds} s for ${provider}, which does not answer`;
  return `waiting ${seconds} s for ${provider}'s rate limit${quotas.length === 0 ? '' : ` (${quotas.map(limitOf).join(', ')})`}`;
}

function limitOf({ requests, perMs }: ProviderStats['quotas'][number]): string {
  const words = new Map([
    [SECOND_MS, 'a second'],
    [60_000, 'a minute'],
    [3_600_000, 'an hour'],
    [86_400_000, 'a day'],
  ]);
  return `${requests} ${words.get(perMs) ?? `in ${perMs / SECOND_MS} s`}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
