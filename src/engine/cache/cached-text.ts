import { TLP_LABELS } from '../../model/tlp.ts';
import { type Verdict, VERDICT_WORDS } from '../../model/verdict.ts';

const isTextOrNull = (value: unknown) => value === null || typeof value === 'string';
const isTextList = (value: unknown) => Array.isArray(value) && value.every((one) => typeof one === 'string');
const isPercentage = (value: unknown) => value === null || (typeof value === 'number' && value >= 0 && value <= 100);
const isCount = (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isOneOf = (words: readonly string[]) => (value: unknown) => typeof value === 'string' && words.includes(value);

/** What a cached text may say, and how. Another version of ours may say more: that is left alone. */
const CHECKS: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ['verdict', isOneOf(VERDICT_WORDS)],
  ['score', isPercentage],
  ['confidence', isPercentage],
  ['categories', isTextList],
  ['attributes', isTextList],
  ['sightings', (value) => value === null || isCount(value)],
  ['firstSeen', isTextOrNull],
  ['lastSeen', isTextOrNull],
  ['tlp', isOneOf(TLP_LABELS)],
  ['reference', isTextOrNull],
  ['isPending', (value) => typeof value === 'boolean'],
  ['note', (value) => typeof value === 'string'],
  ['organization', (value) => typeof value === 'string'],
  [
    'detections',
    (value) =>
      typeof value === 'object' && value !== null && isCount(Reflect.get(value, 'malicious')) && isCount(Reflect.get(value, 'total')),
  ],
]);

/** Reads the text of a verdict; `undefined`: it is not what was written, so nobody has said anything. */
export function parseCachedText(text: string): Pick<Verdict, 'verdict'> | undefined {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    // A damaged file: the value is asked for again.
    return undefined;
  }
  if (typeof said !== 'object' || said === null || !Object.hasOwn(said, 'verdict')) return undefined;
  for (const [key, value] of Object.entries(said)) if (CHECKS.get(key)?.(value) === false) return undefined;
  return said as Pick<Verdict, 'verdict'>;
}
