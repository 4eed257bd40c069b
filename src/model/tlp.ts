/** Traffic Light Protocol 2.0 labels (FIRST), in the spelling of ECS, from freely shared to named recipients only. */
export const TLP_LABELS = ['CLEAR', 'GREEN', 'AMBER', 'AMBER+STRICT', 'RED'] as const;

export type Tlp = (typeof TLP_LABELS)[number];

/** Whether something marked `tlp` may go to a place cleared up to `max`. */
export function isWithinTlp(tlp: Tlp, max: Tlp): boolean {
  return TLP_LABELS.indexOf(tlp) <= TLP_LABELS.indexOf(max);
}
