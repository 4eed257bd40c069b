import type { Answer } from '../model/enrichment.ts';

/** How the score came about, in one line: the contributions named add up to it; who did not answer is named with the reason. */
export function toExplainLine(answer: Answer): string {
  const parts = answer.providers
    .filter(({ status, contribution }) => contribution !== 0 || (status === 'ok' && answer.score === 0))
    .map((result) => `${result.provider} ${result.contribution}`);
  const notes = answer.providers
    .filter((result) => result.status !== 'ok')
    .map((result) => `${result.provider} ${result.status.replaceAll('_', ' ')}`);
  const sum = answer.score === null ? 'no score' : [`${answer.score}`, parts.join(' + ')].filter((part) => part !== '').join(' = ');
  return [sum, ...notes].join('; ');
}
