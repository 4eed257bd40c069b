import { useEffect, useState } from 'preact/hooks';
import { CallError, callJson, callText, wordsFor } from '../page/call.ts';
import type { Setting } from './insight.tsx';
import { readMetrics, type Reading } from './metrics-text.ts';
import type { PipelineState } from './pipeline.tsx';
import type { Report } from './week.ts';

const EVERY_MS = 5000;
/** Figures of a week, and settings, are asked for this seldom. */
const SELDOM_MS = 60_000;
/** After failures it is asked less and less often. */
const MOST_MS = 60_000;
/** Readings that are kept: five minutes. */
const KEPT = 60;

/** What `/readyz` says. */
export interface Ready {
  readonly status: string;
  readonly reason?: string;
  readonly degraded?: readonly string[];
  readonly providers?: Readonly<Record<string, { readonly status: string; readonly until: string }>>;
}

/** All that the health page shows. */
export interface Health {
  readonly readings: readonly Reading[];
  readonly ready: Ready | null;
  readonly quarantine: Quarantine | null;
  /** `null`: this sidecar has no pipeline. */
  readonly pipeline: PipelineState | null;
  /** `null`: not read, or this sidecar does not tell. */
  readonly report: Report | null;
  readonly settings: readonly Setting[] | null;
  readonly fault: string | null;
}

/** What feeds sent that could not be taken. */
export interface Quarantine {
  readonly total: number;
  readonly items: readonly {
    readonly feed: string;
    readonly reason: string;
    readonly raw: string;
    readonly times: number;
    readonly last_at: string;
  }[];
}

const NOTHING: Health = { readings: [], ready: null, quarantine: null, pipeline: null, report: null, settings: null, fault: null };

/** Reads the sidecar's state again and again, while the page is to be seen. */
export function useHealth(): Health {
  const [health, setHealth] = useState(NOTHING);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let waitMs = EVERY_MS;
    const stopper = new AbortController();
    const readSeldom = createSeldom(stopper.signal);
    const turn = async () => {
      try {
        // A page that nobody sees asks nothing.
        if (!document.hidden && location.hash === '#health') {
          const read = { ...(await readAll(stopper.signal)), ...(await readSeldom()) };
          setHealth(({ readings }) => ({ ...read, readings: [...readings, ...read.readings].slice(-KEPT), fault: null }));
        }
        waitMs = EVERY_MS;
      } catch (error) {
        if (stopper.signal.aborted) return;
        waitMs = Math.min(MOST_MS, waitMs * 2);
        const fault = `${wordsFor(error)} Trying again in ${Math.round(waitMs / 1000)} seconds.`;
        setHealth((known) => ({ ...known, fault }));
      }
      timer = setTimeout(() => void turn(), waitMs);
    };
    const now = () => {
      clearTimeout(timer);
      void turn();
    };
    addEventListener('hashchange', now);
    void turn();
    return () => {
      removeEventListener('hashchange', now);
      stopper.abort();
      clearTimeout(timer);
    };
  }, []);
  return health;
}

/** What changes seldom, or never; it is given again until a minute is over. */
function createSeldom(signal: AbortSignal): () => Promise<Pick<Health, 'report' | 'settings'>> {
  let known: Pick<Health, 'report' | 'settings'> | null = null;
  let readAtMs = 0;
  return async () => {
    if (known !== null && Date.now() - readAtMs < SELDOM_MS) return known;
    const [report, settings] = await Promise.all([
      unless('not_found', callJson<Report>('v1/report', { signal })),
      unless('not_found', callJson<{ settings: readonly Setting[] }>('v1/settings', { signal })),
    ]);
    readAtMs = Date.now();
    return (known = { report, settings: settings?.settings ?? null });
  };
}

async function readAll(signal: AbortSignal): Promise<Omit<Health, 'report' | 'settings'>> {
  const [metrics, ready, quarantine, pipeline] = await Promise.all([
    callText('metrics', { signal }),
    callJson<Ready>('readyz', { signal }).catch(notReady),
    unless('no_store', callJson<Quarantine>('v1/quarantine?limit=20', { signal })),
    unless('no_store', callJson<PipelineState>('v1/pipeline', { signal })),
  ]);
  const readings = [{ atMs: Date.now(), samples: readMetrics(metrics) }];
  return { readings, ready, quarantine, pipeline, fault: null };
}

function notReady(error: unknown): Ready {
  if (error instanceof CallError && error.status === 503) return { status: 'not ready' };
  throw error;
}

/** `null` where the sidecar has no such thing: without a pipeline there is neither quarantine nor watchlist. */
async function unless<T>(missing: 'no_store' | 'not_found', call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof CallError && error.code === missing) return null;
    throw error;
  }
}
