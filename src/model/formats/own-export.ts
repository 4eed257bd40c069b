import { VERDICT_WORDS, type VerdictWord } from '../verdict.ts';

/** Who we are in STIX: the author of every object we write (UUIDv5, see `stix-id.ts`). */
export const OWN_IDENTITY_ID = 'identity--cd81877d-8fa0-5c8e-8cc6-b27f6aaaa72b';

/** The name of that author. */
export const OWN_IDENTITY_NAME = 'isMalicious integration pack';

/** Tag or label on all that we write into other platforms, so that it is known again whoever passes it on. */
export const OWN_MARK = 'ismalicious:origin=pack';
/** The same as MISP spells machine tags. */
export const OWN_MISP_MARK = 'ismalicious:origin="pack"';

/** Attribute of a verdict that repeats ours: it counts only where nobody else gives a score. */
export const OWN_ECHO = 'own-export';

/** What this pack, here or in another house, made of an indicator. */
export interface OwnJudgement {
  readonly verdict: VerdictWord;
  readonly score: number | null;
}

/** Whether a tag says that we wrote the object that carries it. */
export function isOwnMark(tag: string): boolean {
  return /^\s*ismalicious:origin=/i.test(tag);
}

/** Whether a tag is one of ours, also on an object of somebody else: it repeats what we said, and says nothing new. */
export function isOwnTag(tag: string): boolean {
  return /^\s*ismalicious:/i.test(tag);
}

/** A STIX object as far as it says who wrote it. */
export interface WrittenObject {
  readonly createdBy: string | null;
  readonly labels: readonly string[];
  readonly description: string | null;
}

/** Whether we wrote a STIX object. */
export function isOwnObject({ createdBy, labels }: WrittenObject): boolean {
  return createdBy === OWN_IDENTITY_ID || labels.some(isOwnMark);
}

/** What we said in an object that we wrote; `null`: it no longer says it. Older versions wrote the score into the description alone. */
export function readOwnJudgement({ labels, description }: WrittenObject): OwnJudgement | null {
  const said = (name: string) => labels.map((label) => label.trim()).find((label) => label.startsWith(`ismalicious:${name}=`));
  const valueOf = (label: string | undefined) => label?.slice(label.indexOf('=') + 1).replaceAll('"', '');
  const word = valueOf(said('verdict'));
  const verdict = VERDICT_WORDS.find((known) => known === word);
  if (!verdict) return null;
  const score = Number(valueOf(said('score')) ?? /^\w+, score (\d{1,3}),/.exec(description ?? '')?.[1] ?? NaN);
  return { verdict, score: score >= 0 && score <= 100 ? Math.round(score) : null };
}

/** The labels that carry a judgement. */
export function ownLabels({ verdict, score }: OwnJudgement, tier: string): string[] {
  return [
    `ismalicious:verdict=${verdict}`,
    `ismalicious:tier=${tier}`,
    ...(score === null ? [] : [`ismalicious:score=${score}`]),
    OWN_MARK,
  ];
}
