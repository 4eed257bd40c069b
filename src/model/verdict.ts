import type { Tlp } from './tlp.ts';

/** How bad, worst first. `clean` only when a provider that knows the type answered about that very value. */
export const VERDICT_WORDS = ['malicious', 'suspicious', 'clean', 'unknown'] as const;

export type VerdictWord = (typeof VERDICT_WORDS)[number];

/** A vote of many engines. */
export interface Detections {
  readonly malicious: number;
  readonly total: number;
}

/** What one provider says about one indicator. `null` always means "not said", never zero or clean. */
export interface Verdict {
  readonly provider: string;
  readonly verdict: VerdictWord;
  /** Maliciousness, 0 (benign) to 100 (certain), whole number, on our scale: see the provider's `read`. */
  readonly score: number | null;
  /** How sure the provider is of `score`, 0 to 100, whole number. */
  readonly confidence: number | null;
  /** Threat categories, lower case: `c2`, `phishing`, … Only these speak against the indicator. */
  readonly categories: readonly string[];
  /** Facts that are neither good nor bad: `cloud`, `tor-exit`, `cdn`, `sample`, … */
  readonly attributes: readonly string[];
  /** Reports counted by the provider, over its own window. */
  readonly sightings: number | null;
  /** ISO 8601, UTC. */
  readonly firstSeen: string | null;
  /** ISO 8601, UTC. */
  readonly lastSeen: string | null;
  readonly tlp: Tlp;
  /** Page an analyst can open. Never carries a key. */
  readonly reference: string | null;
  /** Engines that answered and how many of them accuse it, where the provider counts engines. */
  readonly detections?: Detections;
  /** Whom an address belongs to, where the provider names it. */
  readonly organization?: string;
  /** One line for people on why it says so, where somebody gave a reason. */
  readonly note?: string;
  /** The provider is still working on it: true answers are cached for a minute only. */
  readonly isPending: boolean;
}

/** A verdict of which nothing was said but the word. */
export const BARE_VERDICT: Omit<Verdict, 'provider' | 'verdict'> = {
  score: null,
  confidence: null,
  categories: [],
  attributes: [],
  sightings: null,
  firstSeen: null,
  lastSeen: null,
  tlp: 'CLEAR',
  reference: null,
  isPending: false,
};
