import type { Answer, Enrichment } from '../../model/enrichment.ts';
import { inertText } from '../../model/formats/inert-text.ts';
import { wordTable } from '../../model/tables/word-table.ts';

const COLORS = wordTable<string>({ malicious: '31;1', suspicious: '33', clean: '32', unknown: '2' });

/** A longer cell is cut: it would fill the screen. */
const LONGEST_CELL = 300;

/** Colours a verdict for a terminal. */
export function paint(text: string, verdict: string, hasColor: boolean): string {
  const code = COLORS.get(verdict);
  return hasColor && code ? `\u001B[${code}m${text}\u001B[0m` : text;
}

const NOT_ON_A_LIST = 'not on any local list; no provider was asked';

function isOfNobody({ status, providers }: Answer): boolean {
  return status === 'ok' && providers.every(({ provider, status: said }) => provider === 'local' && said === 'not_listed');
}

/** In a few words why: categories and attributes, or what went wrong. */
export function whyOf(answer: Answer): string {
  const facts = [...answer.categories, ...answer.attributes.filter((attribute) => !attribute.startsWith('list:'))].join(', ');
  if (answer.message === null) return isOfNobody(answer) ? NOT_ON_A_LIST : facts;
  return facts === '' ? answer.message : `${facts} (${answer.message})`;
}

/** How the score came about: one line a provider, adding up exactly, and the engine's own words on how they were merged. */
export function explain({ answer }: Enrichment, reasons: readonly string[] = []): string {
  const lines = answer.providers.map(
    ({ provider, status, score, contribution, message }) =>
      `  ${provider.padEnd(14)} ${status === 'ok' ? `score ${score ?? '-'}` : inertText(message ?? status)}${score === null ? '' : ` → ${contribution} points`}`,
  );
  const why = reasons.map((reason) => `  ${'why'.padEnd(14)} ${inertText(reason)}`);
  return [...lines, `  ${'sum'.padEnd(14)} ${answer.score ?? 'no score'}`, ...why].join('\n');
}

/** Control characters would move the cursor of whoever looks at the table. */
export function printable(text: string): string {
  const shown = inertText(text.replace(/\p{Cc}/gu, '\uFFFD'));
  return shown.length > LONGEST_CELL ? `${shown.slice(0, LONGEST_CELL - 1)}…` : shown;
}
