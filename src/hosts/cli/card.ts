import type { Enrichment, ProviderResult } from '../../model/enrichment.ts';
import { inertText } from '../../model/formats/inert-text.ts';
import type { Io } from './command.ts';
import { paint, printable, whyOf } from './table-words.ts';
import { defangForReading } from '../../model/defang.ts';

const LABEL = 12;

/** Everything that is known of one value, for people: the answer, then what each source says. */
export async function formatCard(enrichment: Enrichment, { hasColor, columns }: Pick<Io, 'hasColor' | 'columns'>): Promise<string> {
  const { answer, indicator, input, source } = enrichment;
  const score = answer.score === null ? 'no score' : `score ${answer.score}, confidence ${answer.confidence ?? 'not reported'}`;
  const lines = [
    line('value', `${defangForReading(printable(indicator?.value ?? input))}${indicator === null ? '' : ` (${indicator.type})`}`),
    line('verdict', `${paint(answer.verdict, answer.verdict, hasColor)}, ${score}, tier ${answer.tier}`),
    line('status', answer.status === 'ok' ? `ok (${source})` : answer.status),
    line('why', inertText(whyOf(answer))),
    ...answer.providers.flatMap((one) => ['', ...sourceLines(one)]),
  ].filter((text) => text !== null);
  if (columns === undefined || lines.every((text) => text.length <= columns)) return lines.join('\n');
  const { default: wrapAnsi } = await import('wrap-ansi');
  return lines.map((text) => wrapAnsi(text, columns, { trim: false })).join('\n');
}

function sourceLines(one: ProviderResult): string[] {
  const { provider, status, verdict, score, contribution, categories, attributes, sightings, firstSeen, lastSeen, reference, message } =
    one;
  const said = status === 'ok' || status === 'pending' ? verdict : status.replaceAll('_', ' ');
  const points = score === null ? '' : `, score ${score}, ${contribution} points`;
  return [
    line(provider, `${said}${points}`),
    line('', inertText([...categories, ...attributes].join(', '))),
    line('', sightings === null ? '' : `${sightings} ${sightings === 1 ? 'report' : 'reports'}`),
    line('', seen(firstSeen, lastSeen)),
    line('', reference === null ? '' : inertText(reference)),
    line('', message === null ? '' : inertText(message)),
  ].filter((text) => text !== null);
}

function seen(first: string | null, last: string | null): string {
  return [...(first === null ? [] : [`first seen ${first}`]), ...(last === null ? [] : [`last seen ${last}`])].join(', ');
}

function line(label: string, text: string): string | null {
  return text === '' ? null : `${label.padEnd(LABEL)}  ${text}`;
}
