import * as z from 'zod/mini';
import { isWithinTlp, type Tlp, TLP_LABELS } from '../../model/tlp.ts';
import type { IndicatorType } from '../../model/indicator.ts';
import { parseIndicator } from '../../model/parse-indicator.ts';
import type { CachedVerdict } from '../../engine/cache/all-verdicts.ts';
import type { VerdictStore } from '../../engine/cache/verdict-store.ts';
import { BatchError } from '../batch-error.ts';

/** Mark of the first line. */
const FORMAT = 'ismalicious-snapshot';

const Head = z.object({ format: z.literal(FORMAT), version: z.literal(1), madeAt: z.iso.datetime() });
const VerdictLine = z.object({
  provider: z.string(),
  value: z.string(),
  answer: z.string(),
  checkedAtS: z.int(),
  expiresAtS: z.int(),
});
const ListLine = z.object({ list: z.string().check(z.regex(/^[a-z_]+$/)), name: z.string(), content: z.string() });

/** A file that answers without anybody being asked. `list`: the setting that names it, such as `lists` or `allow_lists`. */
export interface SnapshotList {
  readonly list: string;
  readonly name: string;
  readonly content: Buffer;
}

/** What a snapshot holds. */
export interface Snapshot {
  readonly madeAt: string;
  readonly verdicts: readonly CachedVerdict[];
  readonly lists: readonly SnapshotList[];
}

/** Which answers go into a snapshot. */
export interface SnapshotFilter {
  readonly types: readonly IndicatorType[] | null;
  /** Strictest label that may leave; what is not marked counts as AMBER. */
  readonly maxTlp: Tlp | null;
  /** Tells which values are wanted by their tier; `null`: all. */
  readonly hasTier: ((values: readonly string[]) => Promise<ReadonlySet<string>>) | null;
}

/** The first line. */
export function headLine(nowMs: number): string {
  return `${JSON.stringify({ format: FORMAT, version: 1, madeAt: new Date(nowMs).toISOString() })}\n`;
}

/** The line of a list. */
export function listLine({ list, name, content }: SnapshotList): string {
  return `${JSON.stringify({ list, name, content: content.toString('base64') })}\n`;
}

/** The line of an answer. */
export function verdictLine(verdict: CachedVerdict): string {
  return `${JSON.stringify(verdict)}\n`;
}

/** Values judged at once. */
const PORTION = 500;

/** Those answers that pass. */
export async function* filtered(verdicts: AsyncIterable<CachedVerdict>, filter: SnapshotFilter): AsyncGenerator<CachedVerdict> {
  let portion: CachedVerdict[] = [];
  for await (const verdict of verdicts) {
    if (passes(verdict, filter)) portion.push(verdict);
    if (portion.length < PORTION) continue;
    yield* await ofTier(portion, filter);
    portion = [];
  }
  yield* await ofTier(portion, filter);
}

async function ofTier(portion: readonly CachedVerdict[], { hasTier }: SnapshotFilter): Promise<readonly CachedVerdict[]> {
  if (hasTier === null || portion.length === 0) return portion;
  const wanted = await hasTier([...new Set(portion.map(({ value }) => value))]);
  return portion.filter(({ value }) => wanted.has(value));
}

function passes({ value, answer }: CachedVerdict, { types, maxTlp }: SnapshotFilter): boolean {
  if (maxTlp !== null && !isWithinTlp(labelOf(answer), maxTlp)) return false;
  if (types === null) return true;
  const parsed = parseIndicator(value);
  return parsed.kind !== 'invalid' && types.includes(parsed.indicator.type);
}

function labelOf(answer: string): Tlp {
  const verdict: unknown = JSON.parse(answer);
  const tlp: unknown = typeof verdict === 'object' && verdict !== null ? Reflect.get(verdict, 'tlp') : null;
  return TLP_LABELS.find((label) => label === tlp) ?? 'AMBER';
}

/** What verified lines hold. Throws for what is no snapshot of this version. */
export function readSnapshot(lines: readonly string[], name: string): Snapshot {
  const [first, ...rest] = lines.map((line) => JSON.parse(line) as unknown);
  const head = Head.safeParse(first);
  if (!head.success)
    throw new BatchError(`${name} is signed, but no snapshot that this version reads: update this program, or export it again`);
  const verdicts: CachedVerdict[] = [];
  const lists: SnapshotList[] = [];
  for (const line of rest) {
    const list = ListLine.safeParse(line);
    if (list.success) lists.push({ ...list.data, content: Buffer.from(list.data.content, 'base64') });
    else verdicts.push(VerdictLine.parse(line));
  }
  return { madeAt: head.data.madeAt, verdicts, lists };
}

/** What became of the answers of a snapshot. */
export interface Taken {
  readonly taken: number;
  /** Answers that were there already, as new or newer. */
  readonly kept: number;
  /** Of those taken: past their lifetime, and shown as stale. */
  readonly expired: number;
}

/** Puts answers into the cache; what is newer there stays. */
export function takeVerdicts(store: VerdictStore, verdicts: readonly CachedVerdict[], nowS: number): Taken {
  let [taken, kept, expired] = [0, 0, 0];
  for (const { provider, value, answer, checkedAtS, expiresAtS } of verdicts) {
    const known = store.getMany(provider, [value]).get(value);
    if (known !== undefined && known.checkedAtS >= checkedAtS) {
      kept++;
      continue;
    }
    store.put(provider, value, { answer, checkedAtS, expiresAtS });
    taken++;
    if (expiresAtS <= nowS) expired++;
  }
  store.flush();
  return { taken, kept, expired };
}
