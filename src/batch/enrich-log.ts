import { extractFromText } from '../extract/extract.ts';
import { placeOf } from '../model/worst-answer.ts';
import type { Enrichment } from '../model/enrichment.ts';
import { inertText } from '../model/formats/inert-text.ts';
import { countingEnricher } from './counting-enricher.ts';
import type { EnrichJob } from './enrich-job.ts';
import { lineBlocks } from './input/line-blocks.ts';
import { lineEndOf, peekInput } from './input/peek-input.ts';

const BLOCK_BYTES = 1 << 20;
const CR = 0x0d;
const TAB = '\t';
/** Stands for what there is not, as in most logs. */
const NOTHING = '-';

/**
 * Lines of any log in, the same lines out with four columns more, a tab before each: verdict, status, score, and the indicator they are about, the
 * worst one that the line holds. `-` in all of them: the line holds none.
 */
export async function enrichLog(job: EnrichJob): Promise<void> {
  const enricher = countingEnricher(job);
  const { head, all } = await peekInput(job.input, 1);
  const lineEnd = lineEndOf(head);
  let lines = 0;
  for await (const block of lineBlocks(all, job.isLive ? 1 : BLOCK_BYTES, lineEnd)) {
    const text = block.toString('utf8');
    const found = extractFromText(text).filter(({ type }) => type !== 'cve');
    found.sort((a, b) => a.offset - b.offset);
    const known = await enricher.enrichMany(new Set(found.map(({ value }) => value)));
    const parts: Buffer[] = [];
    let at = 0;
    let textAt = 0;
    let next = 0;
    while (at < block.length) {
      const end = endOfLine(block.indexOf(lineEnd, at), block.length);
      const textEnd = endOfLine(text.indexOf(String.fromCharCode(lineEnd), textAt), text.length);
      let worst: Enrichment | undefined;
      for (let one = found[next]; one !== undefined && one.offset < textEnd; one = found[++next])
        worst = worseOf(worst, known.get(one.value));
      const content = contentEnd(block, at, end);
      parts.push(block.subarray(at, content));
      if (content > at) parts.push(Buffer.from(columnsOf(worst)));
      parts.push(block.subarray(content, end));
      lines++;
      at = end;
      textAt = textEnd;
    }
    await job.write(Buffer.concat(parts));
    await job.done(block.length);
    job.progress.show(`${lines} lines`);
  }
  job.progress.end();
}

/** Past the line end at `place`; -1: the text ends first. */
function endOfLine(place: number, length: number): number {
  return place < 0 ? length : place + 1;
}

/** Where what stands before the line end stops. */
function contentEnd(bytes: Buffer, from: number, end: number): number {
  let content = end;
  while (content > from && (bytes[content - 1] === CR || bytes[content - 1] === 0x0a)) content--;
  return content;
}

function worseOf(worst: Enrichment | undefined, other: Enrichment | undefined): Enrichment | undefined {
  if (worst === undefined || other === undefined) return worst ?? other;
  return placeOf(other.answer) < placeOf(worst.answer) ? other : worst;
}

function columnsOf(enrichment: Enrichment | undefined): string {
  if (enrichment === undefined) return TAB + [NOTHING, NOTHING, NOTHING, NOTHING].join(TAB);
  const { answer, indicator, input } = enrichment;
  const score = answer.score === null ? NOTHING : String(answer.score);
  return TAB + [answer.verdict, answer.status, score, inertText(indicator?.value ?? input).replaceAll(TAB, ' ')].join(TAB);
}
