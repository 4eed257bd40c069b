/** Traffic Light Protocol 2.0 labels (FIRST), in the spelling of ECS, from freely shared to named recipients only. */
export const TLP_LABELS = ['CLEAR', 'GREEN', 'AMBER', 'AMBER+STRICT', 'RED'] as const;

export type Tlp = (typeof TLP_LABELS)[number];

/** The strictest TLP label among words such as `tlp:amber`, `TLP:WHITE` (the old name of CLEAR) or `green`; `null` when none is one. */
export function strictestTlp(words: readonly string[]): Tlp | null {
  const ranks = words.map((word) => {
    const label = word
      .trim()
      .toUpperCase()
      .replace(/^TLP:\s*/, '')
      .replace(/^WHITE$/, 'CLEAR');
    return TLP_LABELS.findIndex((known) => known === label);
  });
  return TLP_LABELS[Math.max(...ranks)] ?? null;
}

/** Whether something marked `tlp` may go to a place cleared up to `max`. */
export function isWithinTlp(tlp: Tlp, max: Tlp): boolean {
  return TLP_LABELS.indexOf(tlp) <= TLP_LABELS.indexOf(max);
}
