import type { StoredVerdict } from '../verdict-store.ts';
import { AnswerLog, type AnswerLogParts } from './answer-log.ts';
import { verdictOfRow } from './redis-keys.ts';

interface Parts extends AnswerLogParts {
  /** Told of values whose answer on this machine is another one now. */
  readonly onReplaced: (values: readonly string[]) => void;
}

/** Answers that another machine replaced within their lifetime: what this machine keeps of them becomes the new one, and its epoch another. */
export function createReplacedAnswers(parts: Parts): AnswerLog {
  const { link, keys, local, onReplaced } = parts;
  function keep(provider: string, fresh: ReadonlyMap<string, StoredVerdict>): void {
    const here = local().getMany(provider, [...fresh.keys()]);
    const ours = [...fresh].filter(([value, { checkedAtS }]) => (here.get(value)?.checkedAtS ?? Infinity) <= checkedAtS);
    for (const [value, verdict] of ours) if (here.get(value)?.answer !== verdict.answer) local().put(provider, value, verdict);
    // Where it is on disk already, the memory of this process may still have the old one.
    if (ours.length > 0) onReplaced(ours.map(([value]) => value));
  }
  return new AnswerLog({
    ...parts,
    name: 'replaced',
    keysOf: (provider) => keys.replaced(provider),
    async take(provider, values) {
      const rows = await link.mget(values.map((value) => keys.answer(provider, value)));
      if (rows === null) return false;
      const fresh = values.flatMap((value, n): [string, StoredVerdict][] => {
        const verdict = verdictOfRow(rows[n]);
        return verdict === null ? [] : [[value, verdict]];
      });
      keep(provider, new Map(fresh));
      return true;
    },
  });
}
