import { readFileSync } from 'node:fs';
import { BOUNDARY_MUTATORS } from './mutators.ts';

/** What Stryker says of one change, as far as it is read here. */
interface Mutant {
  readonly fileName: string;
  readonly location: { readonly start: { readonly line: number; readonly column: number } };
  readonly mutatorName: string;
  readonly replacement: string;
  readonly status: string;
}

function describe({ fileName, location: { start }, mutatorName, replacement, status }: Mutant): string {
  const line = readFileSync(fileName, 'utf8').split('\n')[start.line - 1] ?? '';
  const mark = BOUNDARY_MUTATORS.has(mutatorName) ? 'BOUNDARY ' : '';
  const instead = replacement.replaceAll(/\s+/g, ' ').slice(0, 100);
  return `${mark}${status} ${fileName}:${start.line}:${start.column} ${mutatorName}\n    ${line.trim()}\n    → ${instead}\n`;
}

/** What no test noticed, each with its place, and one line of figures for the room. */
export function reportOn(room: string, mutants: readonly Mutant[]): string {
  const count = (...statuses: string[]): number => mutants.filter(({ status }) => statuses.includes(status)).length;
  const killed = count('Killed', 'Timeout');
  const survived = count('Survived');
  const uncovered = count('NoCoverage');
  const valid = killed + survived + uncovered;
  const left = mutants.filter(({ status }) => status === 'Survived' || status === 'NoCoverage');
  const onBoundary = left.filter(({ mutatorName }) => BOUNDARY_MUTATORS.has(mutatorName)).length;
  const files = new Set(mutants.map(({ fileName }) => fileName)).size;
  const score = valid === 0 ? '–' : `${((100 * killed) / valid).toFixed(1)} %`;
  return (
    `${left.map(describe).join('')}` +
    `room | files | mutants | killed | survived | no coverage | left on a boundary | score\n` +
    `${room} | ${files} | ${valid} | ${killed} | ${survived} | ${uncovered} | ${onBoundary} | ${score}\n`
  );
}
