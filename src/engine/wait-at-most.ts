/** Waits for all, but no longer than `timeoutMs` (`Infinity`: for ever); rejects when the signal aborts, after `onAbort`. */
export async function waitAtMost(
  asked: readonly Promise<void>[],
  timeoutMs: number,
  signal: AbortSignal | undefined,
  onAbort: () => void,
): Promise<void> {
  if (asked.length === 0) return;
  let timer: NodeJS.Timeout | undefined;
  let abort: (() => void) | undefined;
  const late = new Promise<void>((resolve, reject) => {
    if (Number.isFinite(timeoutMs)) timer = setTimeout(resolve, Math.max(0, timeoutMs));
    abort = () => {
      onAbort();
      reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
  try {
    await Promise.race([Promise.all(asked), late]);
  } finally {
    clearTimeout(timer);
    if (abort) signal?.removeEventListener('abort', abort);
  }
}
