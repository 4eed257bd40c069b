const LABEL = /\((\d{1,2})\)([^()]+)/g;

/**
 * A name as Windows' DNS server writes it in its debug log, each label behind its length and the end behind none: `(4)evil(3)com(0)` as
 * `evil.com`; `null` when a length is not that of its label.
 */
export function countedName(written: string): string | null {
  const labels = [...written.matchAll(LABEL)];
  return labels.every(([, length, label = '']) => Number(length) === label.length) ? labels.map(([, , label]) => label).join('.') : null;
}
